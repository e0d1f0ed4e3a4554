# Who meets whom. Plans only, against a mocked provider: what the configuration promises, without an engine.
# Run through tests/terraform (pytest), which gives secrets_dir. Each run starts the provider: a run for each situation, and
# as many assertions in it as there are.

mock_provider "docker" {}

variables {
  environment = "unit"
  base_image  = "galewatch/base:000000000000"
}

run "zookeeper_meets_only_the_broker" {
  command = plan

  assert {
    condition     = docker_network.coordination.internal
    error_message = "The coordination network must not reach outside."
  }

  assert {
    condition     = output.networks.main == "galewatch-unit" && output.networks.coordination == "galewatch-unit-coordination"
    error_message = "Networks are named for their environment."
  }

  assert {
    condition     = alltrue([for network in [docker_network.main, docker_network.coordination] : one(network.labels).value == "unit"])
    error_message = "Networks carry the environment as a label, by which make wipe finds them."
  }

  assert {
    condition     = alltrue([for name, volume in local.volume : volume == "galewatch-unit-${name}"])
    error_message = "No volume is another environment's."
  }
}
