"""What the jobs share: settings, secrets, patience, and their last words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ConfigError, JobError
from pipeline.jobs.__main__ import main
from pipeline.jobs.runtime import Job, JobSettings, SecretFiles

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_is_the_content_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "kafka_admin").write_text("secret\n")
    assert SecretFiles(tmp_path)["kafka_admin"] == "secret"


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_secret_names_its_file(content: str, tmp_path: Path) -> None:
    (tmp_path / "kafka_admin").write_text(content)
    with pytest.raises(ConfigError, match=r"kafka_admin is empty"):
        SecretFiles(tmp_path)["kafka_admin"]


def test_a_missing_secret_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"kafka_admin cannot be read: No such file"):
        SecretFiles(tmp_path)["kafka_admin"]


def test_waiting_ends_with_the_last_reason_at_the_deadline() -> None:
    job = Job(JobSettings(deadline_seconds=0.01))

    def attempt() -> None:
        raise ConnectionRefusedError("nobody\nthere")

    with pytest.raises(JobError, match=r"^Kafka was not ready within 0.01 s: nobody there$"):
        job.wait_for("Kafka", attempt, failing_with=OSError)


def test_waiting_gives_what_the_first_success_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.jobs.runtime._PAUSE_SECONDS", 0)
    answers = iter([ConnectionRefusedError("not yet"), "ready"])

    def attempt() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    assert Job(JobSettings()).wait_for("Kafka", attempt, failing_with=OSError) == "ready"


def test_another_failure_is_not_waited_for() -> None:
    def attempt() -> None:
        raise ValueError("a fault of the code")

    with pytest.raises(ValueError, match="a fault"):
        Job(JobSettings()).wait_for("Kafka", attempt, failing_with=OSError)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("REPLICATION", "0"), ("DEADLINE_SECONDS", "soon"), ("WEATHER_SOURCE", "nowhere")],
)
def test_a_wrong_variable_is_named_with_its_value(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"GALEWATCH_{variable}", value)
    with pytest.raises(ConfigError, match=rf"^GALEWATCH_{variable}: .*'{value}'$"):
        JobSettings.from_env()


def test_an_unknown_job_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["postgress"]) == 2
    assert "airflow, airflow-migrate, cassandra, history, kafka, postgres, schemas" in capsys.readouterr().err


def test_a_failed_job_ends_with_one_sentence_and_exit_code_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GALEWATCH_SECRETS_DIR", str(tmp_path))
    assert main(["schemas"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("job schemas: the secret ")
    assert error.count("\n") == 1


def test_an_unexpected_fault_is_one_sentence_as_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Job) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr("pipeline.jobs.schemas.run", broken)
    assert main(["schemas"]) == 1
    assert capsys.readouterr().err == "job schemas: unexpected RuntimeError: first line second line\n"
