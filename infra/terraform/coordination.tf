module "zookeeper" {
  source      = "./modules/service"
  environment = var.environment
  name        = "zookeeper"
  image       = module.image_zookeeper
  memory_mib  = 192
  networks    = [docker_network.coordination.id]
  secrets     = { zookeeper_kafka = local.secret.zookeeper_kafka }
  volumes     = { "/var/lib/galewatch" = local.volume.zookeeper }
}
