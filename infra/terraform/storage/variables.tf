variable "environment" {
  description = "The environment that the volumes belong to."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.environment))
    error_message = "environment must be 2 to 16 lowercase letters and digits and begin with a letter, not \"${var.environment}\"."
  }
}
