# The volumes of one environment, in a root and a state of their own: destroying the platform keeps them, and only
# destroying this root (`make wipe`) deletes data.
#
# They carry no labels on purpose. A platform that is applied by hand without this root gets its volumes from the engine,
# which makes a missing one by name; with nothing but the name to compare, both kinds are the same to Terraform, and no
# plan ever proposes to replace one.

terraform {
  required_version = ">= 1.6"

  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = "4.5.0"
    }
  }
}

locals {
  platform = yamldecode(file("${path.module}/../../../config/platform.yaml"))
}

resource "docker_volume" "this" {
  for_each = toset(local.platform.volumes)

  name = "galewatch-${var.environment}-${each.key}"
}
