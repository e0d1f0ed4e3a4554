# What modules/job makes of one job: it runs once, to its end, and its failure is the apply's.

mock_provider "docker" {}

variables {
  environment = "unit"
  name        = "it"
  image       = { image_id = "sha256:00", tag = "galewatch/it:000000000000" }
  memory_mib  = 256
  networks    = ["main"]
}

run "it_runs_once_to_its_end_inside_the_apply" {
  command = plan
  module {
    source = "./modules/job"
  }

  assert {
    condition     = docker_container.this.attach && docker_container.this.must_run == false && docker_container.this.restart == "no"
    error_message = "The apply waits for the job's end, and nothing starts it again."
  }

  assert {
    condition     = docker_container.this.logs
    error_message = "Its last words are part of the message when it fails."
  }

  assert {
    condition     = docker_container.this.memory == 256 && docker_container.this.memory_swap == 256
    error_message = "Memory is limited, and there is no swap."
  }

  assert {
    condition     = { for label in docker_container.this.labels : label.label => label.value }["io.galewatch.job"] == "it"
    error_message = "make up finds failed jobs by this label, and removes them."
  }

  assert {
    condition     = output.done == "it"
    error_message = "A static name, so that a job that runs again replaces nothing that waits for it."
  }
}

run "a_failure_fails_the_apply" {
  module {
    source = "./modules/job"
  }

  override_resource {
    target = docker_container.this
    values = {
      exit_code      = 3
      container_logs = "it cannot be done\n"
    }
  }

  expect_failures = [docker_container.this]
}
