output "done" {
  description = "The job's name. What depends on it waits until the job has succeeded."
  value       = var.name
  depends_on  = [docker_container.this]
}

output "config_sha" {
  description = "Names everything that the job was made from."
  value       = local.config_sha
}
