# What modules/service makes of one service.

mock_provider "docker" {}

variables {
  environment = "unit"
  name        = "it"
  image       = { image_id = "sha256:00", tag = "galewatch/it:000000000000" }
  memory_mib  = 192
  networks    = ["main", "coordination"]
  ports       = { 8080 = 18080 }
  config      = { "/etc/galewatch/rules.yaml" = "../../config/rules.yaml" }
}

run "a_service_is_limited_watched_and_alone" {
  command = plan
  module {
    source = "./modules/service"
  }

  assert {
    condition     = docker_container.this.memory == 192 && docker_container.this.memory_swap == 192
    error_message = "memory_swap counts memory and swap together, so equal means no swap."
  }

  assert {
    condition     = one(docker_container.this.ports).ip == "127.0.0.1"
    error_message = "Unset, the engine would publish to every network of the machine."
  }

  assert {
    condition     = one(docker_container.this.ports).internal == 8080 && one(docker_container.this.ports).external == 18080
    error_message = "ports says: port in the container => port here."
  }

  assert {
    condition     = docker_container.this.wait && length(docker_container.this.healthcheck) == 1
    error_message = "The apply waits for the health check."
  }

  assert {
    condition     = contains(docker_container.this.security_opts, "no-new-privileges:true") && docker_container.this.privileged != true
    error_message = "No file of the image lends rights."
  }

  assert {
    condition     = docker_container.this.restart == "unless-stopped"
    error_message = "The engine starts it again."
  }

  assert {
    condition     = docker_container.this.destroy_grace_seconds == 30 && docker_container.this.stop_timeout == 30
    error_message = "It has time to end."
  }

  assert {
    condition     = one(docker_container.this.upload).source == "../../config/rules.yaml" && one(docker_container.this.upload).content == null
    error_message = "A file is uploaded by its source: content would be in the state."
  }

  assert {
    condition     = output.host == "it" && output.container == "galewatch-unit-it"
    error_message = "Static names, so that replacing the service replaces nothing that talks to it."
  }
}

run "what_matters_is_another_container_when_it_changes" {
  command = plan
  module {
    source = "./tests/variations"
  }

  variables {
    before = {
      command     = ["run"]
      config      = { "/etc/galewatch/it.yaml" = "../../config/rules.yaml" }
      env         = { A = "1", B = "2" }
      healthcheck = { retries = 6 }
      image       = { image_id = "sha256:00", tag = "galewatch/it:000000000000" }
      memory_mib  = 192
      secrets     = { it = "../../config/sources.yaml" }
      tmpfs       = null
    }

    changes = {
      none        = {}
      command     = { command = ["walk"] }
      config      = { config = { "/etc/galewatch/it.yaml" = "../../config/stations.yaml" } }
      env         = { env = { A = "1", B = "3" } }
      env_less    = { env = { A = "1" } }
      healthcheck = { healthcheck = { retries = 7 } }
      image       = { image = { image_id = "sha256:00", tag = "galewatch/it:111111111111" } }
      secrets     = { secrets = { it = "../../config/stations.yaml" } }
      tmpfs       = { tmpfs = { "/scratch" = "size=1m" } }
      # Changed in place, so no part of it.
      memory = { memory_mib = 256 }
    }
  }

  assert {
    condition     = length(distinct([for name, sha in output.config_sha : sha if name != "memory"])) == 9
    error_message = "Each of them is part of config_sha, a label, and labels force replacement: ${jsonencode(output.config_sha)}"
  }

  assert {
    condition     = output.config_sha.memory == output.config_sha.none
    error_message = "Another limit is set in place."
  }
}

run "a_missing_secret_is_told_before_anything_is_made" {
  command = plan
  module {
    source = "./modules/service"
  }
  variables {
    secrets = { it = "/nowhere/it" }
  }
  expect_failures = [docker_container.this]
}
