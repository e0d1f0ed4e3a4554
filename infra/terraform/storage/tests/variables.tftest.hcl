# Plans only, against a mocked provider. Run through tests/terraform (pytest).

mock_provider "docker" {}

variables {
  environment = "unit"
}

run "volumes_are_named_for_their_environment_and_nothing_else" {
  command = plan

  assert {
    condition     = toset(keys(output.volumes)) == toset(local.platform.volumes)
    error_message = "config/platform.yaml says the volumes."
  }

  assert {
    condition     = alltrue([for name, volume in docker_volume.this : volume.name == "galewatch-unit-${name}" && length(volume.labels) == 0])
    error_message = "A volume has nothing but its name, so that no plan ever replaces one."
  }
}

run "refuses_a_bad_environment_name" {
  command = plan
  variables {
    environment = "Dev_1"
  }
  expect_failures = [var.environment]
}
