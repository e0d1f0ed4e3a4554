# Plans only, against a mocked provider: what the configuration promises, without an engine.
# Run through tests/terraform (pytest), which gives secrets_dir.

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
    condition     = docker_network.coordination.name == "galewatch-unit-coordination" && docker_network.main.name == "galewatch-unit"
    error_message = "Networks are named for their environment."
  }
}

run "ports_move_together" {
  command = plan

  variables {
    port_offset   = 1000
    alerts_copies = 2
  }

  assert {
    condition     = output.addresses.kafka == "127.0.0.1:20092" && output.addresses.airflow == "http://127.0.0.1:19080"
    error_message = "port_offset moves every port."
  }

  assert {
    condition     = tolist(output.addresses.driver_alerts) == tolist(["http://127.0.0.1:19040", "http://127.0.0.1:19041"])
    error_message = "Each alerts driver has a page of its own."
  }
}

run "rules_replace_the_alerts_drivers_and_nothing_else" {
  command = plan

  assert {
    condition     = alltrue([for driver in module.driver_alerts : contains(driver.config, "/etc/galewatch/rules.yaml")])
    error_message = "The alerts drivers read the rules."
  }

  assert {
    condition = !contains(flatten([for service in concat([
      module.airflow_api, module.airflow_dag_processor, module.airflow_scheduler, module.cassandra, module.driver_tables,
      module.kafka, module.postgres, module.schema_registry, module.spark_master, module.weather_api, module.zookeeper,
    ], values(module.spark_worker)) : service.config]), "/etc/galewatch/rules.yaml")
    error_message = "A rule that changes replaces no other service."
  }
}

run "refuses_a_bad_environment_name" {
  command = plan
  variables {
    environment = "Dev_1"
  }
  expect_failures = [var.environment]
}

run "refuses_a_negative_port_offset" {
  command = plan
  variables {
    port_offset = -1
  }
  expect_failures = [var.port_offset]
}

run "refuses_half_a_worker" {
  command = plan
  variables {
    spark_workers = 1.5
  }
  expect_failures = [var.spark_workers]
}

run "refuses_no_alerts_driver" {
  command = plan
  variables {
    alerts_copies = 0
  }
  expect_failures = [var.alerts_copies]
}

run "refuses_an_unknown_trigger" {
  command = plan
  variables {
    alerts_trigger = "continuous"
  }
  expect_failures = [var.alerts_trigger]
}

run "refuses_an_unknown_weather_source" {
  command = plan
  variables {
    weather_source = "guess"
  }
  expect_failures = [var.weather_source]
}

run "faults_are_off_unless_asked_for" {
  command = plan

  assert {
    condition     = length(local.weather_env) == 0
    error_message = "Nobody can switch faults on by default."
  }
}

run "faults_are_on_where_asked_for" {
  command = plan

  variables {
    weather_faults = true
  }

  assert {
    condition     = lookup(local.weather_env, "GALEWATCH_WEATHER_FAULTS", "") == "on"
    error_message = "weather_faults reaches the weather API."
  }
}

run "refuses_a_relative_replay_folder" {
  command = plan
  variables {
    replay_dir = "recordings"
  }
  expect_failures = [var.replay_dir]
}

run "refuses_a_replay_end_that_is_no_time" {
  command = plan
  variables {
    replay_end = "yesterday"
  }
  expect_failures = [var.replay_end]
}

run "refuses_an_untagged_base" {
  command = plan
  variables {
    base_image = "debian"
  }
  expect_failures = [var.base_image]
}

run "refuses_an_unknown_proxy_variable" {
  command = plan
  variables {
    build_proxy = { FTP_PROXY = "http://proxy.example:3128" }
  }
  expect_failures = [var.build_proxy]
}
