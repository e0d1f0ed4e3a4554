# The weather API: recorded weather where there is some, and faults where they are asked for.

mock_provider "docker" {}

variables {
  environment = "unit"
  base_image  = "galewatch/base:000000000000"
}

run "faults_are_off_unless_asked_for" {
  command = plan

  assert {
    condition     = length(local.weather_env) == 0
    error_message = "Nobody can switch faults on by default."
  }
}

run "faults_and_recordings_reach_the_weather_api" {
  command = plan

  variables {
    weather_faults = true
    replay_dir     = "/recordings"
    replay_end     = "2026-01-31T12:00:00Z"
  }

  assert {
    condition = local.weather_env == tomap({
      GALEWATCH_REPLAY         = "/var/lib/replay"
      GALEWATCH_REPLAY_END     = "2026-01-31T12:00:00Z"
      GALEWATCH_WEATHER_FAULTS = "on"
    })
    error_message = "weather_faults, replay_dir and replay_end reach the weather API."
  }
}
