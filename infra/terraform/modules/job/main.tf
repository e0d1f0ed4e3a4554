# One one-shot job: it runs to its end inside the apply, may run again at any time without changing what is there already,
# and fails the apply with its own last words.

locals {
  full_name = "galewatch-${var.environment}-job-${var.name}"

  config_sha = sha1(jsonencode({
    command = var.command
    config  = { for target, source in var.config : target => try(filesha256(source), "missing") }
    env     = var.env
    image   = var.image.tag
    secrets = { for name, source in var.secrets : name => try(filesha256(source), "missing") }
  }))

  labels = {
    "io.galewatch.config"      = local.config_sha
    "io.galewatch.environment" = var.environment
    "io.galewatch.job"         = var.name
    "io.galewatch.service"     = "job-${var.name}"
  }
}

resource "docker_container" "this" {
  name     = local.full_name
  hostname = "job-${var.name}"
  image    = var.image.image_id
  command  = var.command
  env      = [for key, value in var.env : "${key}=${value}"]

  # Runs once, to its end; its log is part of the message when it fails (so no job prints a secret).
  attach   = true
  logs     = true
  must_run = false
  restart  = "no"

  memory        = var.memory_mib
  memory_swap   = var.memory_mib
  security_opts = ["no-new-privileges:true"]

  log_driver = "json-file"
  log_opts   = { max-size = "10m", max-file = "3" }

  dynamic "networks_advanced" {
    for_each = var.networks
    content {
      name = networks_advanced.value
    }
  }

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

    postcondition {
      condition     = self.exit_code == 0
      error_message = "The job ${var.name} failed with exit code ${self.exit_code}; its log ends with:\n${join("\n", slice(split("\n", trimspace(self.container_logs)), max(0, length(split("\n", trimspace(self.container_logs))) - 25), length(split("\n", trimspace(self.container_logs)))))}\nBy hand: remove the container ${local.full_name} before the next apply (`make up` does)."
    }
  }
}
