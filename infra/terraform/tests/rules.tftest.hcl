# What reads which configuration file: a file that changes replaces those, and nothing else.

mock_provider "docker" {}

variables {
  environment = "unit"
  base_image  = "galewatch/base:000000000000"
}

run "a_changed_file_replaces_who_reads_it_and_nothing_else" {
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

  assert {
    condition = alltrue([for service in [module.airflow_api, module.airflow_dag_processor, module.airflow_scheduler, module.weather_api] :
    contains(service.config, "/etc/galewatch/stations.yaml")])
    error_message = "Airflow and the weather API know the stations."
  }

  assert {
    condition = !contains(flatten([for service in concat([
      module.cassandra, module.driver_tables, module.kafka, module.postgres, module.schema_registry, module.spark_master, module.zookeeper,
    ], values(module.spark_worker), values(module.driver_alerts)) : service.config]), "/etc/galewatch/stations.yaml")
    error_message = "A station that changes replaces no other service."
  }
}
