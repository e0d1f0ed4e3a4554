# One image, built from the project's root and named by what goes into it: the same sources give the same tag on every
# machine, and a tag that the engine has already is not built again.

locals {
  # Relative to the root module, as build.context is: an absolute path would give another tag in every checkout.
  context = "${path.root}/../.."

  # What .dockerignore keeps out of every image.
  host_only = [
    "pipeline/cli/", "pipeline/demo/", "pipeline/doctor/", "pipeline/environment.py", "pipeline/infra/",
    "pipeline/oracle/", "pipeline/reconcile/", "pipeline/simulate/", "pipeline/topics/",
  ]

  files = sort([
    for file in setunion(
      fileset(local.context, "infra/images/${var.name}/**"),
      [for pattern in var.sources : fileset(local.context, pattern)]...
    ) : file
    if !strcontains(file, "__pycache__") && !strcontains(file, "/target/") && !anytrue([for path in local.host_only : startswith(file, path)])
  ])

  # build_args hold the tags of the images underneath, so a new base gives everything on it a new tag, too.
  identity = sha256(jsonencode({
    files      = { for file in local.files : file => filesha256("${local.context}/${file}") }
    build_args = var.build_args
  }))

  tag = "galewatch/${var.name}:${substr(local.identity, 0, 12)}"
}

resource "docker_image" "this" {
  name         = local.tag
  keep_locally = true

  build {
    context    = local.context
    dockerfile = "infra/images/${var.name}/Dockerfile"
    build_args = merge(var.build_proxy, var.build_args)
    label      = { "io.galewatch.image" = var.name }
  }
}
