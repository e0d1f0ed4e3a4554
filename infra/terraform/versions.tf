terraform {
  required_version = ">= 1.6"

  # terraform.tfstate in this folder, unless `init -backend-config=path=…` says another: environments beside `dev` have theirs
  # elsewhere.
  backend "local" {}

  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = "4.5.0"
    }
  }
}
