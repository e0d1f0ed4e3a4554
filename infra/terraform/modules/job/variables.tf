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
  description = "The environment that the job belongs to."
  type        = string
  nullable    = false
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
  description = "The job's name: the last part of the container's name."
  type        = string
  nullable    = false
}

variable "networks" {
  description = "Ids of the networks that the job is on."
  type        = list(string)
  nullable    = false
}

variable "secrets" {
  description = "Secrets: name in /run/galewatch/secrets => file on this machine."
  type        = map(string)
  default     = {}
  nullable    = false
}
