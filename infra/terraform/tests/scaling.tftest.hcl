# How many of what there may be several of.

mock_provider "docker" {}

variables {
  environment = "unit"
  base_image  = "galewatch/base:000000000000"
}

run "one_more_is_one_more" {
  command = plan

  variables {
    alerts_copies = 3
    spark_workers = 8
  }

  assert {
    condition     = length(distinct([for worker in module.spark_worker : worker.host])) == 8
    error_message = "Each worker has a name of its own."
  }

  assert {
    condition     = length(distinct([for worker in module.spark_worker : worker.config_sha])) == 1
    error_message = "Workers are all made from the same."
  }

  assert {
    condition     = length(distinct([for driver in module.driver_alerts : driver.config_sha])) == 3
    error_message = "Each copy of the alerts driver has its index, and so its own phase and checkpoints."
  }

  assert {
    condition     = length(distinct(output.addresses.driver_alerts)) == 3
    error_message = "Each copy has a page."
  }
}

run "refuses_more_alerts_drivers_than_the_workers_hold" {
  command = plan

  variables {
    alerts_copies = 3
    spark_workers = 1
  }

  expect_failures = [output.addresses]
}
