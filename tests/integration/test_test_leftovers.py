"""What a killed test run left goes when it is old, and nothing else does."""

from __future__ import annotations

import secrets
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.infra.layout import ENVIRONMENT_LABEL
from tests.integration.environment import Environment
from tests.leftovers import OLD, remove_old_environments

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

pytestmark = pytest.mark.engine


@pytest.fixture
def killed(engine: docker.DockerClient) -> Iterator[Environment]:
    """An environment with network, secrets and a volume, whose run has ended without a word."""
    environment = Environment()
    environment.__enter__()
    environment.volume("kafka")
    yield environment
    remove_old_environments(engine, datetime.now(UTC) + 2 * OLD, print, only=environment.name)


def names(engine: docker.DockerClient, name: str) -> list[str]:
    """Name what the engine has of an environment."""
    networks = [network.name for network in engine.networks.list(names=[f"galewatch-{name}"])]
    volumes = [volume.name for volume in engine.volumes.list(filters={"name": f"galewatch-{name}-"})]
    return sorted(networks + volumes)


def test_what_is_old_goes_with_its_secrets(engine: docker.DockerClient, killed: Environment) -> None:
    whole = [f"galewatch-{killed.name}", f"galewatch-{killed.name}-kafka"]
    assert names(engine, killed.name) == whole
    later = datetime.now(UTC) + OLD + timedelta(minutes=1)
    assert sorted(remove_old_environments(engine, later, print, only=killed.name)) == whole
    assert names(engine, killed.name) == []
    assert not killed.secrets.parent.exists()


def test_what_is_old_goes_also_where_its_secrets_are_gone_already(
    engine: docker.DockerClient, killed: Environment
) -> None:
    shutil.rmtree(killed.secrets.parent)
    remove_old_environments(engine, datetime.now(UTC) + 2 * OLD, print, only=killed.name)
    assert names(engine, killed.name) == []


def test_what_is_young_stays(engine: docker.DockerClient, killed: Environment) -> None:
    assert remove_old_environments(engine, datetime.now(UTC), print, only=killed.name) == []
    assert names(engine, killed.name) != []
    assert killed.secrets.is_dir()


def test_an_environment_of_people_is_never_touched(engine: docker.DockerClient) -> None:
    name = f"try{secrets.token_hex(3)}"
    volume = engine.volumes.create(f"galewatch-{name}-kafka", labels={ENVIRONMENT_LABEL: name})
    try:
        assert remove_old_environments(engine, datetime.now(UTC) + 2 * OLD, print, only=name) == []
        assert names(engine, name) == [volume.name]
    finally:
        volume.remove()


def test_an_environment_that_ends_takes_what_a_test_forgot_with_it(engine: docker.DockerClient) -> None:
    with Environment() as environment:
        environment.volume("kafka")
    assert names(engine, environment.name) == []
    assert not environment.secrets.parent.exists()
