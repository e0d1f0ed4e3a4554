locals {
  driver_env = {
    GALEWATCH_SPARK_MASTER    = "spark://${module.spark_master.host}:7077"
    GALEWATCH_KAFKA_BOOTSTRAP = "${module.kafka.host}:9092"
    GALEWATCH_REGISTRY_URL    = "http://${module.schema_registry.host}:8080${local.platform.schema_registry.path}"
    GALEWATCH_CASSANDRA_HOST  = module.cassandra.host
    # Topics, tables and schemas are there. So are the workers, by depends_on below: their number is no part of a driver, so
    # that one more or less replaces none.
    GALEWATCH_AFTER = join(" ", [module.job_kafka.done, module.job_cassandra.done, module.job_schemas.done])
  }

  # Executors keep their part of a query's state there, so the workers mount it, too; what else is in /var/lib/galewatch is
  # each container's own.
  spark_volumes = { "/var/lib/galewatch/checkpoints" = local.volume.checkpoints }
}

module "spark_master" {
  source      = "./modules/service"
  environment = var.environment
  name        = "spark-master"
  image       = module.image_spark
  command     = ["master"]
  memory_mib  = 384
  networks    = [docker_network.main.id]
  ports       = { 8080 = local.ports.spark_master }
  secrets     = { spark_auth = local.secret.spark_auth }
}

module "spark_worker" {
  source      = "./modules/service"
  for_each    = toset([for index in range(var.spark_workers) : tostring(index)])
  environment = var.environment
  name        = "spark-worker-${each.key}"
  image       = module.image_spark
  command     = ["worker"]
  memory_mib  = 2048
  networks    = [docker_network.main.id]
  secrets     = { spark_auth = local.secret.spark_auth }
  volumes     = local.spark_volumes

  env = {
    GALEWATCH_SPARK_MASTER = "spark://${module.spark_master.host}:7077"
  }
}

module "driver_alerts" {
  source      = "./modules/service"
  for_each    = toset([for index in range(var.alerts_copies) : tostring(index)])
  environment = var.environment
  name        = "driver-alerts-${each.key}"
  image       = module.image_spark
  command     = ["driver", "alerts"]
  config      = merge(local.config_platform, local.config_rules)
  memory_mib  = 1024
  networks    = [docker_network.main.id]
  ports       = { 4040 = local.ports.driver_alerts + tonumber(each.key) }
  volumes     = local.spark_volumes

  secrets = {
    spark_auth      = local.secret.spark_auth
    kafka_alerts    = local.secret.kafka_alerts
    registry_client = local.secret.registry_client
    cassandra_spark = local.secret.cassandra_spark
  }

  env = merge(local.driver_env, {
    GALEWATCH_DRIVER_INDEX   = each.key
    GALEWATCH_DRIVER_COPIES  = var.alerts_copies
    GALEWATCH_DRIVER_TRIGGER = var.alerts_trigger
  })

  depends_on = [module.spark_worker]
}

module "driver_tables" {
  source      = "./modules/service"
  environment = var.environment
  name        = "driver-tables"
  image       = module.image_spark
  command     = ["driver", "tables"]
  config      = local.config_platform
  memory_mib  = 1024
  networks    = [docker_network.main.id]
  ports       = { 4040 = local.ports.driver_tables }
  volumes     = local.spark_volumes

  secrets = {
    spark_auth      = local.secret.spark_auth
    kafka_tables    = local.secret.kafka_tables
    registry_client = local.secret.registry_client
    cassandra_spark = local.secret.cassandra_spark
  }

  env = local.driver_env

  depends_on = [module.spark_worker]
}
