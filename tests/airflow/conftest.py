"""An Airflow of its own for the tests: its home is a temporary folder, its database SQLite, migrated once.

These tests run in Airflow's environment (.venv-airflow), which holds no other tests' libraries.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"

# In any other environment there is no Airflow to test; `make test` runs this folder in its own.
if importlib.util.find_spec("airflow") is None:
    collect_ignore_glob = ["test_*.py"]

# Airflow reads its configuration when it is imported, so it must be there before any test module is.
_HOME = tempfile.TemporaryDirectory(prefix="galewatch-airflow-")
os.environ.update(
    AIRFLOW_HOME=_HOME.name,
    AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(ROOT / "pipeline" / "airflow_plugins"),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__CORE__FERNET_KEY="c29tZS1mZXJuZXQta2V5LW9mLXRlc3RzLTMyLWJ5dGU=",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_HOME.name}/airflow.db",
    AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS="False",
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=f"{_HOME.name}/logs",
)
os.environ.setdefault("GALEWATCH_CONFIG_DIR", str(ROOT / "config"))


@pytest.fixture(scope="session")
def airflow_database() -> Iterator[None]:
    """Migrate Airflow's database."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
    yield
    _HOME.cleanup()


@pytest.fixture(scope="session")
def dags(airflow_database: None) -> dict[str, Any]:  # noqa: ARG001 - parsing looks for pools in it
    """Parse the DAG folder as the processor does; an import error fails every test that asks for it."""
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415 - after the environment above

    bag = DagBag(str(DAGS))
    assert bag.import_errors == {}
    return dict(bag.dags)
