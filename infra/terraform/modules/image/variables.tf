variable "build_args" {
  description = "Build arguments that are part of the image's identity: the tags of the images that it is built from."
  type        = map(string)
  nullable    = false
}

variable "build_proxy" {
  description = "HTTP_PROXY, HTTPS_PROXY and NO_PROXY for the build. Not part of the image's identity."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "name" {
  description = "The folder in infra/images, and the image's name after galewatch/."
  type        = string
  nullable    = false
}

variable "sources" {
  description = "Glob patterns, relative to the project's root, of what the Dockerfile copies besides its own folder."
  type        = set(string)
  default     = []
  nullable    = false
}
