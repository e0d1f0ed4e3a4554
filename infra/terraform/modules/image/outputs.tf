output "image_id" {
  description = "The built image, by content: what a container refers to."
  value       = docker_image.this.image_id
}

output "tag" {
  description = "The image's tag, known before it is built; what depends on it waits for the build."
  value       = local.tag
  depends_on  = [docker_image.this]
}
