variable "command" {
  description = "Arguments of the image's entry point."
  type        = list(string)
  default     = null
}

variable "config" {
  description = "Configuration files: path in the container => file on this machine."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "env" {
  description = "Environment variables. Never a secret: those are files."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "environment" {
  description = "The environment that the service belongs to."
  type        = string
  nullable    = false
}

variable "healthcheck" {
  description = "The command that tells whether the service answers. Durations in the engine's canonical form (1m0s, not 60s)."
  type = object({
    test         = optional(list(string), ["CMD", "/opt/galewatch/healthcheck"])
    interval     = optional(string, "5s")
    timeout      = optional(string, "5s")
    start_period = optional(string, "2m0s")
    retries      = optional(number, 6)
  })
  default  = {}
  nullable = false
}

variable "image" {
  description = "The image: its id, which the container refers to, and its tag, which names its content."
  type        = object({ image_id = string, tag = string })
  nullable    = false
}

variable "memory_mib" {
  description = "Memory limit in MiB. There is no swap beside it."
  type        = number
  nullable    = false
}

variable "name" {
  description = "The service's name: its alias on the networks, and the last part of the container's name."
  type        = string
  nullable    = false
}

variable "networks" {
  description = "Ids of the networks that the service is on."
  type        = list(string)
  nullable    = false
}

variable "ports" {
  description = "Port in the container => port on this machine's loopback address."
  type        = map(number)
  default     = {}
  nullable    = false
}

variable "read_only_folders" {
  description = "Folders of this machine, mounted read-only: path in the container => absolute path here."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "secrets" {
  description = "Secrets: name in /run/galewatch/secrets => file on this machine."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "stop_seconds" {
  description = "How long the service may take to stop before it is killed."
  type        = number
  default     = 30
  nullable    = false
}

variable "tmpfs" {
  description = "Folders in memory: path => mount options."
  type        = map(string)
  default     = null
}

variable "volumes" {
  description = "Named volumes: path in the container => volume."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "wait_seconds" {
  description = "How long the service may take to become healthy."
  type        = number
  default     = 180
  nullable    = false
}
