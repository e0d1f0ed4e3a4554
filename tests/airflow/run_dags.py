"""Run DAGs from end to end in this process, by Airflow's own `dag.test()`; not a test by itself.

`python run_dags.py`, in Airflow's environment, with a migrated database. Each line of its input is an object
with `dag_id`, `logical_date` (ISO 8601, or null) and `variables` (of the environment: connections are there);
it is answered by a line of JSON: the run's state and what each task returned. All else goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import DAG

DAGS = Path(__file__).resolve().parents[2] / "dags"


def run(dag: DAG, logical_date: str | None) -> dict[str, Any]:
    """Run it and tell."""
    ran = dag.test(logical_date=datetime.fromisoformat(logical_date) if logical_date else None)
    returned = {ti.task_id: ti.xcom_pull(task_ids=ti.task_id) for ti in ran.get_task_instances()}
    return {"state": str(ran.state), "returned": returned}


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415 - it writes to stdout

    bag = DagBag(str(DAGS))
    for line in sys.stdin:
        asked = json.loads(line)
        os.environ.update(asked["variables"])
        print(json.dumps(run(bag.dags[asked["dag_id"]], asked["logical_date"])), file=answers)


if __name__ == "__main__":
    main()
