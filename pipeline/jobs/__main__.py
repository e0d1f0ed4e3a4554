"""`python -m pipeline.jobs <name>`: run one job; a failure is one sentence on stderr and exit code 1."""

from __future__ import annotations

import importlib
import sys

from pipeline.errors import GalewatchError
from pipeline.jobs.runtime import Job, JobSettings

# Imported only when it runs: the images of the jobs do not all hold the same drivers.
_JOBS = {
    "airflow": "pipeline.jobs.airflow",
    "airflow-migrate": "pipeline.jobs.airflow_migrate",
    "cassandra": "pipeline.jobs.cassandra",
    "history": "pipeline.jobs.history",
    "kafka": "pipeline.jobs.kafka",
    "postgres": "pipeline.jobs.postgres",
    "schemas": "pipeline.jobs.schemas",
}


def main(arguments: list[str]) -> int:
    """Run the job that the only argument names and return the process's exit code."""
    if len(arguments) != 1 or arguments[0] not in _JOBS:
        given = " ".join(arguments) or "nothing"
        print(f"the job must be one of {', '.join(_JOBS)}, but is {given!r}", file=sys.stderr)  # noqa: T201
        return 2
    (name,) = arguments
    try:
        job = Job(JobSettings.from_env(), say=lambda line: print(f"{name}: {line}", flush=True))  # noqa: T201
        importlib.import_module(_JOBS[name]).run(job)
    except GalewatchError as error:
        print(f"job {name}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except Exception as error:  # noqa: BLE001 - a job's log is read in Terraform's error: one sentence, no trace
        reason = " ".join(str(error).split())
        print(f"job {name}: unexpected {type(error).__name__}: {reason}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
