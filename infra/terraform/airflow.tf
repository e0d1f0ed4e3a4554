locals {
  airflow_secrets = { for name in ["airflow_admin", "airflow_api_secret", "airflow_fernet_key", "airflow_jwt_secret", "postgres_airflow"] : name => local.secret[name] }
  airflow_config  = merge(local.config_platform, local.config_sources, local.config_stations)
  # Logs of task runs, read by the API server from the scheduler.
  airflow_volumes = { "/var/lib/galewatch" = local.volume.airflow }
}

module "job_airflow_migrate" {
  source      = "./modules/job"
  environment = var.environment
  name        = "airflow-migrate"
  image       = module.image_airflow
  command     = ["migrate"]
  config      = local.airflow_config
  memory_mib  = 768
  networks    = [docker_network.main.id]
  secrets     = local.airflow_secrets

  env = {
    GALEWATCH_HISTORY_HOST = module.postgres.host
    GALEWATCH_AFTER        = module.job_postgres.done
  }
}

# Connections and pools.
module "job_airflow" {
  source      = "./modules/job"
  environment = var.environment
  name        = "airflow"
  image       = module.image_airflow
  command     = ["setup"]
  config      = local.airflow_config
  memory_mib  = 768
  networks    = [docker_network.main.id]

  secrets = merge(local.airflow_secrets, {
    for name in ["kafka_publisher", "postgres_history", "registry_client"] : name => local.secret[name]
  })

  env = {
    GALEWATCH_WEATHER_SOURCE = var.weather_source
    GALEWATCH_AFTER          = module.job_airflow_migrate.done
  }
}

module "airflow_api" {
  source      = "./modules/service"
  environment = var.environment
  name        = "airflow-api"
  image       = module.image_airflow
  command     = ["api-server"]
  config      = local.airflow_config
  memory_mib  = 1024
  networks    = [docker_network.main.id]
  ports       = { 8080 = local.ports.airflow }
  secrets     = local.airflow_secrets

  env = {
    GALEWATCH_AFTER = module.job_airflow_migrate.done
  }
}

# Runs the tasks, too, and serves their logs.
module "airflow_scheduler" {
  source      = "./modules/service"
  environment = var.environment
  name        = "airflow-scheduler"
  image       = module.image_airflow
  command     = ["scheduler"]
  config      = local.airflow_config
  memory_mib  = 1536
  networks    = [docker_network.main.id]
  secrets     = local.airflow_secrets
  volumes     = local.airflow_volumes

  env = {
    GALEWATCH_AFTER = module.job_airflow.done
  }
}

module "airflow_dag_processor" {
  source      = "./modules/service"
  environment = var.environment
  name        = "airflow-dag-processor"
  image       = module.image_airflow
  command     = ["dag-processor"]
  config      = local.airflow_config
  memory_mib  = 768
  networks    = [docker_network.main.id]
  secrets     = local.airflow_secrets

  env = {
    GALEWATCH_AFTER = module.job_airflow_migrate.done
  }
}
