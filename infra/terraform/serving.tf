module "cassandra" {
  source      = "./modules/service"
  environment = var.environment
  name        = "cassandra"
  image       = module.image_cassandra
  memory_mib  = 1024
  networks    = [docker_network.main.id]
  ports       = { 9042 = local.ports.cassandra }
  volumes     = { "/var/lib/galewatch" = local.volume.cassandra }

  # Drains its memtables before it goes.
  stop_seconds = 60
}

# The admin in place of the built-in superuser, keyspace, tables and roles.
module "job_cassandra" {
  source      = "./modules/job"
  environment = var.environment
  name        = "cassandra"
  image       = module.image_pipeline
  command     = ["job", "cassandra"]
  config      = local.config_platform
  memory_mib  = 256
  networks    = [docker_network.main.id]
  secrets     = { for role in keys(local.platform.cassandra.roles) : "cassandra_${role}" => local.secret["cassandra_${role}"] }

  env = {
    GALEWATCH_CASSANDRA_HOST = module.cassandra.host
  }
}
