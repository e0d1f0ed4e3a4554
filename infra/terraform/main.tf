# Galewatch's platform on one Docker engine. Each service has a block of its own, in the file of its station on the way:
# coordination.tf → kafka.tf → history.tf → schemas.tf → serving.tf → spark.tf → airflow.tf → weather.tf; images.tf builds
# what they run.

provider "docker" {
  host = var.docker_host
}

locals {
  platform = yamldecode(file("${path.module}/../../config/platform.yaml"))
  ports    = { for name, port in local.platform.ports : name => port + var.port_offset }

  secrets_dir = coalesce(var.secrets_dir, "${path.root}/../../secrets/${var.environment}")
  secret      = { for name in local.platform.secrets : name => "${local.secrets_dir}/${name}" }

  # Volumes belong to the root in storage/; here they are only names.
  volume = { for name in local.platform.volumes : name => "galewatch-${var.environment}-${name}" }

  config_platform = { "/etc/galewatch/platform.yaml" = "${path.root}/../../config/platform.yaml" }
  config_rules    = { "/etc/galewatch/rules.yaml" = "${path.root}/../../config/rules.yaml" }
  config_sources  = { "/etc/galewatch/sources.yaml" = "${path.root}/../../config/sources.yaml" }
  config_stations = { "/etc/galewatch/stations.yaml" = "${path.root}/../../config/stations.yaml" }

  network_labels = {
    "io.galewatch.environment" = var.environment
  }
}

# Everybody but ZooKeeper.
resource "docker_network" "main" {
  name = "galewatch-${var.environment}"

  dynamic "labels" {
    for_each = local.network_labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}

# ZooKeeper and the brokers, and nobody else: the SCRAM credentials live in ZooKeeper.
resource "docker_network" "coordination" {
  name     = "galewatch-${var.environment}-coordination"
  internal = true

  dynamic "labels" {
    for_each = local.network_labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}
