module "kafka" {
  source      = "./modules/service"
  environment = var.environment
  name        = "kafka"
  image       = module.image_kafka
  memory_mib  = 640
  networks    = [docker_network.coordination.id, docker_network.main.id]
  ports       = { 19092 = local.ports.kafka }
  secrets = {
    kafka_admin     = local.secret.kafka_admin
    zookeeper_kafka = local.secret.zookeeper_kafka
  }
  volumes = { "/var/lib/galewatch" = local.volume.kafka }

  env = {
    GALEWATCH_EXTERNAL_PORT = local.ports.kafka
    GALEWATCH_ZOOKEEPER     = "${module.zookeeper.host}:2181"
  }

  # A controlled shutdown hands its partitions over and closes its logs.
  stop_seconds = 60
}

# Users, ACLs and topics.
module "job_kafka" {
  source      = "./modules/job"
  environment = var.environment
  name        = "kafka"
  image       = module.image_pipeline
  command     = ["job", "kafka"]
  config      = local.config_platform
  memory_mib  = 256
  networks    = [docker_network.main.id]
  secrets     = { for user in concat(["admin"], keys(local.platform.kafka.users)) : "kafka_${user}" => local.secret["kafka_${user}"] }

  env = {
    GALEWATCH_KAFKA_BOOTSTRAP = "${module.kafka.host}:9092"
  }
}
