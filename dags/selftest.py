"""By hand: send one reading of the station galewatch-selftest down the whole path, through the same steps."""

from __future__ import annotations

from pipeline.airflow_dags import selftest_dag

selftest_dag()
