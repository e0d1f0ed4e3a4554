output "addresses" {
  description = "Where each service answers on this machine. Each is healthy and set up by the time the output is there."
  value = {
    airflow         = "http://127.0.0.1:${local.ports.airflow}"
    cassandra       = "127.0.0.1:${local.ports.cassandra}"
    driver_alerts   = [for index in range(var.alerts_copies) : "http://127.0.0.1:${local.ports.driver_alerts + index}"]
    driver_tables   = "http://127.0.0.1:${local.ports.driver_tables}"
    kafka           = "127.0.0.1:${local.ports.kafka}"
    postgres        = "127.0.0.1:${local.ports.postgres}"
    schema_registry = "http://127.0.0.1:${local.ports.schema_registry}${local.platform.schema_registry.path}"
    spark_master    = "http://127.0.0.1:${local.ports.spark_master}"
    weather_api     = "http://127.0.0.1:${local.ports.weather_api}"
  }

  # Beside the tables' driver, by memory and by slots; without room a driver waits in vain, and the apply with it.
  precondition {
    condition     = var.alerts_copies <= 2 * var.spark_workers
    error_message = "alerts_copies is ${var.alerts_copies} and spark_workers ${var.spark_workers}: a worker has room for two alerts drivers."
  }

  depends_on = [
    module.airflow_api, module.airflow_dag_processor, module.airflow_scheduler,
    module.cassandra, module.job_cassandra,
    module.driver_alerts, module.driver_tables, module.spark_master, module.spark_worker,
    module.kafka, module.job_kafka,
    module.postgres, module.job_history,
    module.schema_registry, module.job_schemas,
    module.weather_api,
  ]
}

output "images" {
  description = "Service => the image that it runs, named by its content."
  value = {
    airflow         = module.image_airflow.tag
    cassandra       = module.image_cassandra.tag
    kafka           = module.image_kafka.tag
    pipeline        = module.image_pipeline.tag
    postgres        = module.image_postgres.tag
    schema_registry = module.image_schema_registry.tag
    spark           = module.image_spark.tag
    zookeeper       = module.image_zookeeper.tag
  }
}

output "networks" {
  description = "The network of everybody, and the one of ZooKeeper and the brokers."
  value = {
    main         = docker_network.main.name
    coordination = docker_network.coordination.name
  }
}
