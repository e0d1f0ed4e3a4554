# One long-running service: one container that Terraform waits for until it is healthy.

locals {
  full_name = "galewatch-${var.environment}-${var.name}"

  # healthcheck, removed env entries, command and uploads are changed in the state but not in the container (or never read
  # back), so everything that matters goes into a label: labels force replacement.
  config_sha = sha1(jsonencode({
    command     = var.command
    config      = { for target, source in var.config : target => try(filesha256(source), "missing") }
    env         = var.env
    healthcheck = var.healthcheck
    image       = var.image.tag
    secrets     = { for name, source in var.secrets : name => try(filesha256(source), "missing") }
    tmpfs       = var.tmpfs
  }))

  labels = {
    "io.galewatch.config"      = local.config_sha
    "io.galewatch.environment" = var.environment
    "io.galewatch.service"     = var.name
  }
}

resource "docker_container" "this" {
  name     = local.full_name
  hostname = var.name
  image    = var.image.image_id
  command  = var.command
  env      = [for key, value in var.env : "${key}=${value}"]

  # Reaps what the service's own children leave behind, and passes signals on.
  init    = true
  restart = "unless-stopped"

  # Without a grace period the official provider kills at once; a stateful service needs time to flush.
  destroy_grace_seconds = var.stop_seconds
  stop_timeout          = var.stop_seconds

  memory = var.memory_mib
  # Equal to memory: no swap. Unset, the engine fills in twice the memory and every plan shows a change.
  memory_swap = var.memory_mib

  security_opts = ["no-new-privileges:true"]
  tmpfs         = var.tmpfs

  wait         = true
  wait_timeout = var.wait_seconds

  log_driver = "json-file"
  log_opts   = { max-size = "10m", max-file = "3" }

  healthcheck {
    test         = var.healthcheck.test
    interval     = var.healthcheck.interval
    timeout      = var.healthcheck.timeout
    start_period = var.healthcheck.start_period
    retries      = var.healthcheck.retries
  }

  dynamic "networks_advanced" {
    for_each = var.networks
    content {
      name    = networks_advanced.value
      aliases = [var.name]
    }
  }

  dynamic "ports" {
    for_each = var.ports
    content {
      internal = tonumber(ports.key)
      external = ports.value
      ip       = "127.0.0.1"
    }
  }

  dynamic "volumes" {
    for_each = var.volumes
    content {
      container_path = volumes.key
      volume_name    = volumes.value
    }
  }

  dynamic "volumes" {
    for_each = var.read_only_folders
    content {
      container_path = volumes.key
      host_path      = volumes.value
      read_only      = true
    }
  }

  # By source, so that the content is never in the state. Readable in the container by its one user; on the host the
  # secrets are 0600.
  dynamic "upload" {
    for_each = merge(var.config, { for name, source in var.secrets : "/run/galewatch/secrets/${name}" => source })
    content {
      file        = upload.key
      source      = upload.value
      source_hash = try(filesha256(upload.value), "missing")
      permissions = "0444"
    }
  }

  dynamic "labels" {
    for_each = local.labels
    content {
      label = labels.key
      value = labels.value
    }
  }

  lifecycle {
    precondition {
      condition     = alltrue([for source in concat(values(var.config), values(var.secrets)) : fileexists(source)])
      error_message = "${local.full_name} needs ${join(", ", [for source in concat(values(var.config), values(var.secrets)) : source if !fileexists(source)])}, which does not exist. `make prepare` makes the secrets."
    }
  }
}
