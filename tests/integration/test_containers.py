"""What all tests with services stand on: ports that stay, names that keep apart, and nothing is pulled."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import docker
import pytest
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from pipeline.infra.layout import ENVIRONMENT_LABEL
from tests import leftovers
from tests.integration import images
from tests.integration.containers import Cassandra, Kafka, Postgres, Registry, Service, ZooKeeper
from tests.integration.environment import Environment
from tests.integration.images import MissingImageError, image
from tests.integration.side_by_side import side_by_side
from tests.integration.stack import NAMES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.stack import Stack

pytestmark = pytest.mark.engine

LOOPBACK_ONLY = "127.0.0.1"


def published(service: Service) -> list[tuple[str, int]]:
    """Give the places at which the engine publishes a container, as it is now."""
    service.container.reload()
    bindings = service.container.attrs["NetworkSettings"]["Ports"].values()
    return [(one["HostIp"], int(one["HostPort"])) for found in bindings if found for one in found]


def test_every_service_is_a_container_of_our_own_on_a_port_of_loopback_alone(stack: Stack) -> None:
    for name in NAMES:
        service = stack.services[name]
        assert Service in type(service).__mro__
        assert DockerContainer in type(service).__mro__
        assert [(LOOPBACK_ONLY, service.port)] == published(service), name
    assert {Cassandra, Kafka, Postgres, Registry, ZooKeeper} == {type(one) for one in stack.services.values()}


def test_a_container_that_is_started_again_has_the_port_that_it_had(stack: Stack) -> None:
    """An engine that chose the port would choose another one, while Kafka goes on telling the old one."""
    kafka, zookeeper = stack.kafka, stack.zookeeper
    before = [published(service) for service in (kafka, zookeeper)]
    side_by_side(
        partial(kafka.container.restart, timeout=30), partial(zookeeper.container.restart, timeout=30)
    )
    kafka.wait_until_healthy()
    zookeeper.wait_until_healthy()
    assert before == [published(service) for service in (kafka, zookeeper)]
    with socket.create_connection((kafka.host, kafka.port), timeout=10):
        pass


def test_no_reaper_is_started(stack: Stack, engine: docker.DockerClient) -> None:
    """Its image would have to be pulled; what it does, the sweep by label does."""
    assert testcontainers_config.ryuk_disabled
    assert stack.services
    running = engine.containers.list(all=True, ignore_removed=True)
    assert [] == [
        one.name for one in running if "ryuk" in one.name or "ryuk" in str(one.attrs["Config"]["Image"])
    ]


def test_a_missing_image_is_one_sentence_that_names_the_make_target_and_nothing_is_pulled(
    environment: Environment, engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = "galewatch/postgres:ffffffffffff"
    monkeypatch.setattr(images, "_tags", lambda: {"postgres": absent})
    with pytest.raises(
        MissingImageError, match=rf"^the engine has no image {absent}: `make images` builds it$"
    ):
        Postgres(environment)
    assert [] == engine.images.list(absent)


def test_a_service_of_which_terraform_cannot_name_the_image_says_how_to_prepare_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    terraform = tmp_path / "terraform"
    terraform.write_text(
        "#!/bin/sh\nprintf '\\033[31mError: \\033[0mModule not installed\\n\\nRun init.\\n' >&2\nexit 1\n",
        "utf-8",
    )
    terraform.chmod(0o755)
    monkeypatch.setenv("TERRAFORM", str(terraform))
    images._tags.cache_clear()
    try:
        with pytest.raises(
            MissingImageError, match=r"`make images` prepares it\): Error: Module not installed$"
        ):
            image("postgres")
    finally:
        images._tags.cache_clear()


def test_a_container_that_ends_instead_of_becoming_ready_is_told_at_once_with_its_last_words(
    environment: Environment, engine: docker.DockerClient
) -> None:
    broken = Kafka(environment).with_env("GALEWATCH_HEAP", "much")
    broken.with_network_aliases("kafka-broken")
    with pytest.raises(TimeoutError, match=r"(?s)exited.*GALEWATCH_HEAP"), broken:
        pytest.fail("it became ready")
    left = engine.containers.list(all=True, filters={"label": f"{ENVIRONMENT_LABEL}={environment.name}"})
    for container in left:
        if container.status == "exited":
            container.remove(force=True, v=True)


def test_two_environments_side_by_side_see_nothing_of_each_other_and_one_ends_without_the_other(
    engine: docker.DockerClient,
) -> None:
    """The same service has the same name in both, and each finds its own; so does who looks for leftovers."""
    with Environment() as one, Postgres(one, volume=one.volume("postgres")) as first:
        with Environment() as other:
            # Never stopped, as by a test that fails before it can.
            second = Postgres(other, volume=other.volume("postgres")).start()
            for number, service in enumerate((first, second)):
                with service.connect() as connection, connection.cursor() as cursor:
                    cursor.execute(f"CREATE TABLE of_{number} (a int)")
                    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                    assert [(f"of_{number}",)] == cursor.fetchall()
            assert [3, 3] == [len(left_of(engine, made)) for made in (one, other)]
        assert [] == left_of(engine, other)
        with first.connect():
            pass
    assert [] == left_of(engine, one)


def left_of(engine: docker.DockerClient, environment: Environment) -> list[str]:
    """Name the containers, networks and volumes that carry an environment's label."""
    mine = {"label": f"{ENVIRONMENT_LABEL}={environment.name}"}
    return sorted(
        str(one.name)
        for kind in (partial(engine.containers.list, all=True), engine.networks.list, engine.volumes.list)
        for one in kind(filters=mine)
    )


class _Said:
    """A terminal that nobody looks at."""

    def line(self, _text: str) -> None:
        """Say nothing."""


def swept(monkeypatch: pytest.MonkeyPatch, *marks: str, collectonly: bool = False) -> bool:
    """Let a run with one test of these marks begin, after one that was killed; tell whether it tidied up."""
    killed = Environment()
    killed.__enter__()
    # Of all environments only this test's, however old, can be what it finds.
    narrow = partial(leftovers.remove_old_environments, only=killed.name)
    later = datetime.now(UTC) + 2 * leftovers.OLD
    session: Any = SimpleNamespace(
        config=SimpleNamespace(option=SimpleNamespace(collectonly=collectonly), get_terminal_writer=_Said),
        items=[SimpleNamespace(get_closest_marker=lambda mark: mark in marks)],
    )
    engine = docker.from_env()
    try:
        with monkeypatch.context() as changed:
            changed.setattr(
                leftovers, "remove_old_environments", lambda found, _, say: narrow(found, later, say)
            )
            leftovers.sweep_before(session)
        return left_of(engine, killed) == []
    finally:
        narrow(engine, later, print)
        engine.close()


def test_a_run_that_uses_the_engine_begins_with_a_sweep_and_no_other_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert swept(monkeypatch, "engine")
    assert not swept(monkeypatch, "slow")
    assert not swept(monkeypatch, "engine", collectonly=True)
