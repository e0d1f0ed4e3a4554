output "container" {
  description = "The container's name."
  value       = local.full_name
  depends_on  = [docker_container.this]
}

output "host" {
  description = "The service's name on its networks. A static name, so that replacing the service replaces nothing else; what depends on it waits until the service is healthy."
  value       = var.name
  depends_on  = [docker_container.this]
}

output "config_sha" {
  description = "Names everything that the container was made from."
  value       = local.config_sha
}

output "config" {
  description = "The configuration files that it reads: a change of one replaces the service."
  value       = sort(keys(var.config))
}
