# What each variable refuses. Every edge, and what the messages say: tests/terraform/test_variables.py.

mock_provider "docker" {}

variables {
  environment = "unit"
  base_image  = "galewatch/base:000000000000"
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

run "refuses_half_a_worker" {
  command = plan
  variables {
    spark_workers = 1.5
  }
  expect_failures = [var.spark_workers]
}

run "refuses_an_unknown_weather_source" {
  command = plan
  variables {
    weather_source = "guess"
  }
  expect_failures = [var.weather_source]
}

run "takes_the_most_of_each" {
  command = plan
  variables {
    alerts_copies = 3
    environment   = "abcdefghijklmn16"
    port_offset   = 40000
    spark_workers = 8
  }
}
