# Where each service answers.

mock_provider "docker" {}

variables {
  environment = "unit"
  base_image  = "galewatch/base:000000000000"
}

run "ports_are_those_of_the_platform_on_this_machine_alone" {
  command = plan

  assert {
    condition     = alltrue([for name, port in local.ports : port == local.platform.ports[name]])
    error_message = "config/platform.yaml says the ports."
  }

  assert {
    condition     = alltrue([for address in flatten(values(output.addresses)) : can(regex("^(http://)?127\\.0\\.0\\.1:", address))])
    error_message = "Nothing answers but on the loopback address."
  }
}

run "ports_move_together" {
  command = plan

  variables {
    port_offset   = 1000
    alerts_copies = 2
  }

  assert {
    condition     = alltrue([for name, port in local.ports : port == local.platform.ports[name] + 1000])
    error_message = "port_offset moves every port."
  }

  assert {
    condition     = output.addresses.kafka == "127.0.0.1:20092" && output.addresses.airflow == "http://127.0.0.1:19080"
    error_message = "Addresses tell the moved ports."
  }

  assert {
    condition     = tolist(output.addresses.driver_alerts) == tolist(["http://127.0.0.1:19040", "http://127.0.0.1:19041"])
    error_message = "Each alerts driver has a page of its own."
  }
}
