# Speaks Open-Meteo's contract: recorded weather where there is some, a synthetic climate otherwise. It is there beside live
# weather, too: the self-test asks it.
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

  env               = var.replay_dir == "" ? {} : { GALEWATCH_REPLAY = "/var/lib/replay", GALEWATCH_REPLAY_END = var.replay_end }
  read_only_folders = var.replay_dir == "" ? {} : { "/var/lib/replay" = var.replay_dir }
}
