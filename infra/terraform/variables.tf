# Few, typed and validated. What every environment shares stands in config/platform.yaml instead.

variable "alerts_copies" {
  description = "Copies of the alerts driver, each with an executor of its own, on different workers while there are enough."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.alerts_copies >= 1 && var.alerts_copies <= 3 && floor(var.alerts_copies) == var.alerts_copies
    error_message = "alerts_copies must be 1, 2 or 3, not ${var.alerts_copies}."
  }
}

variable "alerts_trigger" {
  description = "How the alerts query runs: realtime (milliseconds) or microbatch (a batch after the other)."
  type        = string
  default     = "realtime"
  nullable    = false

  validation {
    condition     = contains(["realtime", "microbatch"], var.alerts_trigger)
    error_message = "alerts_trigger must be realtime or microbatch, not \"${var.alerts_trigger}\"."
  }
}

variable "base_image" {
  description = "The base of all images: galewatch/base:<content hash>. `make prepare` makes it and writes it to generated.auto.tfvars.json."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]*:[A-Za-z0-9._-]+$", var.base_image))
    error_message = "base_image must be an image with a tag, such as galewatch/base:0123456789ab, not \"${var.base_image}\"."
  }
}

variable "build_proxy" {
  description = "HTTP_PROXY, HTTPS_PROXY and NO_PROXY for the image builds, where this machine is behind a proxy."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.build_proxy) : contains(["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"], name)])
    error_message = "build_proxy takes HTTP_PROXY, HTTPS_PROXY and NO_PROXY, not ${join(", ", keys(var.build_proxy))}."
  }
}

variable "docker_host" {
  description = "Address of the Docker engine. Unset: DOCKER_HOST, or the local socket."
  type        = string
  default     = null
}

variable "environment" {
  description = "Name of the environment; container, network and volume names begin with galewatch-<environment>."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.environment))
    error_message = "environment must be 2 to 16 lowercase letters and digits and begin with a letter, not \"${var.environment}\"."
  }
}

variable "port_offset" {
  description = "Added to every published port, so that environments can run side by side."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.port_offset >= 0 && var.port_offset <= 40000 && floor(var.port_offset) == var.port_offset
    error_message = "port_offset must be a whole number from 0 to 40000, not ${var.port_offset}."
  }
}

variable "replay_dir" {
  description = "Folder of this machine with recorded weather for the weather API to replay, as an absolute path. Empty: a synthetic climate."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.replay_dir == "" || startswith(var.replay_dir, "/")
    error_message = "replay_dir must be an absolute path or empty, not \"${var.replay_dir}\"."
  }
}

variable "replay_end" {
  description = "Time (RFC 3339) at which the last recorded hour is shown, so that a restart shifts nothing. Empty: when the weather API starts."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.replay_end == "" || can(formatdate("YYYY", var.replay_end))
    error_message = "replay_end must be a time such as 2026-01-31T12:00:00Z or empty, not \"${var.replay_end}\"."
  }
}

variable "secrets_dir" {
  description = "Folder with one file for each secret. Unset: secrets/<environment> in the project's root."
  type        = string
  default     = null
}

variable "spark_workers" {
  description = "Spark workers."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = var.spark_workers >= 1 && var.spark_workers <= 8 && floor(var.spark_workers) == var.spark_workers
    error_message = "spark_workers must be a whole number from 1 to 8, not ${var.spark_workers}."
  }
}

variable "weather_faults" {
  description = "Whether faults of the weather API can be switched on while it runs (PUT /faults/…), for tests and demonstrations."
  type        = bool
  default     = false
  nullable    = false
}

variable "weather_source" {
  description = "Where Airflow fetches the weather: live (Open-Meteo) or local (the weather API of this environment: replay or synthetic)."
  type        = string
  default     = "local"
  nullable    = false

  validation {
    condition     = contains(["live", "local"], var.weather_source)
    error_message = "weather_source must be live or local, not \"${var.weather_source}\"."
  }
}
