module "schema_registry" {
  source      = "./modules/service"
  environment = var.environment
  name        = "schema-registry"
  image       = module.image_schema_registry
  memory_mib  = 512
  networks    = [docker_network.main.id]
  ports       = { 8080 = local.ports.schema_registry }
  secrets     = { for name in ["postgres_registry", "registry_admin", "registry_client"] : name => local.secret[name] }

  env = {
    GALEWATCH_COMPATIBILITY = local.platform.schema_registry.compatibility
    GALEWATCH_POSTGRES_HOST = module.postgres.host
    GALEWATCH_AFTER         = module.job_postgres.done
  }
}

# The compatibility level and the schemas.
module "job_schemas" {
  source      = "./modules/job"
  environment = var.environment
  name        = "schemas"
  image       = module.image_pipeline
  command     = ["job", "schemas"]
  config      = local.config_platform
  memory_mib  = 256
  networks    = [docker_network.main.id]
  secrets     = { registry_admin = local.secret.registry_admin }

  env = {
    GALEWATCH_REGISTRY_URL = "http://${module.schema_registry.host}:8080${local.platform.schema_registry.path}"
  }
}
