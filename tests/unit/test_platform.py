"""The platform's facts: typed, complete, and one error for what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.config import config_dir
from pipeline.errors import ConfigError
from pipeline.platform import load_platform

if TYPE_CHECKING:
    from pathlib import Path


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """Give a configuration directory whose platform.yaml is the committed one with one change."""
    text = (config_dir() / "platform.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "platform.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path


def test_the_committed_facts_are_loaded() -> None:
    platform = load_platform()
    assert platform.kafka.topics["readings"].config["message.timestamp.type"] == "LogAppendTime"
    assert platform.streaming.window_seconds == 300


def test_the_facts_fit_together() -> None:
    platform = load_platform()
    topics = set(platform.kafka.topics)
    for user in platform.kafka.users.values():
        assert {*user.read, *user.write} <= topics
    assert {subject.removesuffix("-value") for subject in platform.schema_registry.subjects} <= topics


def test_a_subject_has_the_platforms_mode_unless_it_has_its_own(tmp_path: Path) -> None:
    named = "compatibility: FORWARD\n  modes: {alerts-value: FULL}"
    registry = load_platform(changed(tmp_path, "compatibility: BACKWARD_TRANSITIVE", named)).schema_registry
    assert ("FORWARD", "FULL") == (registry.mode("readings-value"), registry.mode("alerts-value"))


def test_the_variable_names_another_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "GALEWATCH_CONFIG_DIR", str(changed(tmp_path, "window_seconds: 300", "window_seconds: 60"))
    )
    assert load_platform().streaming.window_seconds == 60


def test_a_directory_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALEWATCH_CONFIG_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=r"GALEWATCH_CONFIG_DIR: '.*/nowhere' is not a directory"):
        load_platform()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  cassandra: 19042", "  cassandra: 190420", r"ports\.cassandra: .*65535, got 190420"),
        ("  cassandra: 19042\n", "", r"ports\.cassandra: is missing"),
        ("  cassandra: 19042", "  casandra: 1\n  cassandra: 19042", r"ports\.casandra: unknown key"),
        ("partitions: 2", "partitions: 0", r"kafka\.topics\.readings\.partitions: .*got 0"),
        ("BACKWARD_TRANSITIVE", "SIDEWAYS", r"schema_registry\.compatibility: .*got 'SIDEWAYS'"),
        ("window_seconds: 300", "window_seconds: soon", r"streaming\.window_seconds: .*got 'soon'"),
    ],
)
def test_a_wrong_fact_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"platform\.yaml: {message}"):
        load_platform(changed(tmp_path, old, new))


def test_a_user_without_a_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"secrets: kafka_publisher is missing, whose user is in this file"):
        load_platform(changed(tmp_path, "  - kafka_publisher\n", ""))


def test_a_secret_given_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"secrets: spark_auth is given twice"):
        load_platform(changed(tmp_path, "  - spark_auth\n", "  - spark_auth\n  - spark_auth\n"))
