# PostgreSQL: the history, Airflow's metadata and the registry's storage, each a database with an owner of its own.
module "postgres" {
  source      = "./modules/service"
  environment = var.environment
  name        = "postgres"
  image       = module.image_postgres
  memory_mib  = 512
  networks    = [docker_network.main.id]
  ports       = { 5432 = local.ports.postgres }
  secrets     = { postgres_superuser = local.secret.postgres_superuser }
  volumes     = { "/var/lib/galewatch" = local.volume.postgres }

  # A fast shutdown writes a checkpoint first.
  stop_seconds = 60
}

# Roles and databases.
module "job_postgres" {
  source      = "./modules/job"
  environment = var.environment
  name        = "postgres"
  image       = module.image_pipeline
  command     = ["job", "postgres"]
  config      = local.config_platform
  memory_mib  = 256
  networks    = [docker_network.main.id]
  secrets     = { for name in ["postgres_airflow", "postgres_history", "postgres_reader", "postgres_registry", "postgres_superuser"] : name => local.secret[name] }

  env = {
    GALEWATCH_HISTORY_HOST = module.postgres.host
  }
}

# The history's tables.
module "job_history" {
  source      = "./modules/job"
  environment = var.environment
  name        = "history"
  image       = module.image_pipeline
  command     = ["job", "history"]
  config      = merge(local.config_platform, local.config_sources, local.config_stations)
  memory_mib  = 256
  networks    = [docker_network.main.id]
  secrets     = { postgres_history = local.secret.postgres_history }

  env = {
    GALEWATCH_HISTORY_HOST = module.postgres.host
    GALEWATCH_AFTER        = module.job_postgres.done
  }
}
