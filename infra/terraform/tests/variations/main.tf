# One service in several variations, so that one run of a test tells which of them are the same container to Terraform.

variable "before" {
  description = "The arguments of modules/service that all variations share."
  type        = any
}

variable "changes" {
  description = "Name of a variation => arguments that differ."
  type        = any
}

module "it" {
  source      = "../../modules/service"
  for_each    = var.changes
  environment = "unit"
  name        = "it"
  networks    = []

  command     = try(each.value.command, var.before.command)
  config      = try(each.value.config, var.before.config)
  env         = try(each.value.env, var.before.env)
  healthcheck = try(each.value.healthcheck, var.before.healthcheck)
  image       = try(each.value.image, var.before.image)
  memory_mib  = try(each.value.memory_mib, var.before.memory_mib)
  secrets     = try(each.value.secrets, var.before.secrets)
  tmpfs       = try(each.value.tmpfs, var.before.tmpfs)
}

output "config_sha" {
  description = "Name of a variation => what names everything that its container is made from."
  value       = { for name, service in module.it : name => service.config_sha }
}
