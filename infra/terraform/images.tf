# All images stand on one base. Their order is their dependence on each other, by tag.

locals {
  on_base    = { BASE_IMAGE = var.base_image }
  on_builder = merge(local.on_base, { BUILDER_IMAGE = module.image_builder.tag })
  on_jre     = { JRE_IMAGE = module.image_jre.tag, BUILDER_IMAGE = module.image_builder.tag }
}

module "image_jre" {
  source      = "./modules/image"
  name        = "jre"
  build_args  = local.on_base
  build_proxy = var.build_proxy
}

module "image_builder" {
  source      = "./modules/image"
  name        = "builder"
  sources     = ["requirements/uv.txt"]
  build_args  = local.on_base
  build_proxy = var.build_proxy
}

module "image_zookeeper" {
  source      = "./modules/image"
  name        = "zookeeper"
  build_args  = local.on_jre
  build_proxy = var.build_proxy
}

module "image_kafka" {
  source      = "./modules/image"
  name        = "kafka"
  build_args  = local.on_jre
  build_proxy = var.build_proxy
}

module "image_schema_registry" {
  source      = "./modules/image"
  name        = "schema-registry"
  sources     = ["requirements/schema-registry.txt"]
  build_args  = local.on_builder
  build_proxy = var.build_proxy
}

module "image_postgres" {
  source      = "./modules/image"
  name        = "postgres"
  build_args  = local.on_base
  build_proxy = var.build_proxy
}

module "image_cassandra" {
  source      = "./modules/image"
  name        = "cassandra"
  build_args  = local.on_jre
  build_proxy = var.build_proxy
}

module "image_spark" {
  source      = "./modules/image"
  name        = "spark"
  sources     = ["requirements/spark.txt", "spark/**", "pipeline/**"]
  build_args  = local.on_jre
  build_proxy = var.build_proxy
}

module "image_airflow" {
  source      = "./modules/image"
  name        = "airflow"
  sources     = ["requirements/airflow.txt", "dags/**", "pipeline/**"]
  build_args  = local.on_builder
  build_proxy = var.build_proxy
}

module "image_pipeline" {
  source      = "./modules/image"
  name        = "pipeline"
  sources     = ["requirements/service.txt", "pipeline/**"]
  build_args  = local.on_builder
  build_proxy = var.build_proxy
}
