output "volumes" {
  description = "Short name => the volume's name on the engine."
  value       = { for name, volume in docker_volume.this : name => volume.name }
}
