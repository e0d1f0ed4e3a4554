# Speaks the contracts of all three sources: recorded weather where there is some, a synthetic climate otherwise. It is there
# beside live weather, too: the self-test and the gateway ask it.
locals {
  weather_env = merge(
    var.replay_dir == "" ? {} : { GALEWATCH_REPLAY = "/var/lib/replay", GALEWATCH_REPLAY_END = var.replay_end },
    var.weather_faults ? { GALEWATCH_WEATHER_FAULTS = "on" } : {},
  )
}

module "weather_api" {
  source      = "./modules/service"
  environment = var.environment
  name        = "weather-api"
  image       = module.image_pipeline
  command     = ["weather-api"]
  config      = local.config_stations
  memory_mib  = 256
  networks    = [docker_network.main.id]
  ports       = { 8000 = local.ports.weather_api }

  env               = local.weather_env
  read_only_folders = var.replay_dir == "" ? {} : { "/var/lib/replay" = var.replay_dir }
}
