"""Run one DAG from end to end in this process, by Airflow's own `dag.test()`; not a test by itself.

`python run_dag.py <dag id> [<logical date>]`, in Airflow's environment, with a migrated database and the
connections in AIRFLOW_CONN_… variables. Prints one line of JSON at the end: the run's state and what each
task returned.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

DAGS = Path(__file__).resolve().parents[2] / "dags"


def main(dag_id: str, logical_date: str | None = None) -> None:
    """Run it and tell."""
    bag = DagBag(str(DAGS))
    dag = bag.dags[dag_id]
    run = dag.test(logical_date=datetime.fromisoformat(logical_date) if logical_date else None)
    returned = {ti.task_id: ti.xcom_pull(task_ids=ti.task_id) for ti in run.get_task_instances()}
    print(json.dumps({"state": str(run.state), "returned": returned}))  # noqa: T201 - the caller reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
