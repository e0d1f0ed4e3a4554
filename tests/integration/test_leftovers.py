"""What cut-off runs and failed jobs leave on a real engine, and how it is cleared."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest

from pipeline.infra.base_image import ensure_base
from pipeline.infra.errors import InfraError
from pipeline.infra.layout import ENVIRONMENT_LABEL, JOB_LABEL, Layout
from pipeline.infra.leftovers import Leftovers
from pipeline.infra.memory import container_mib
from pipeline.infra.status import report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker
    from docker.models.containers import Container

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def base() -> str:
    return ensure_base(print)


class Scene:
    """One environment of its own: a checkout in a temporary folder, and things on the engine."""

    def __init__(self, engine: docker.DockerClient, base: str, root: Path) -> None:
        self.layout = Layout(f"t{secrets.token_hex(3)}", root)
        self.layout.work.mkdir(parents=True)
        self.layout.platform_state.parent.mkdir(parents=True)
        self.engine = engine
        self._base = base
        self.said: list[str] = []
        self.leftovers = Leftovers(self.layout, engine, self.said.append)

    def container(self, name: str, *command: str, **labels: str) -> Container:
        """Start a container of the environment."""
        container = self.engine.containers.create(
            self._base,
            list(command),
            name=f"{self.layout.prefix}-{name}",
            labels={ENVIRONMENT_LABEL: self.layout.environment, **labels},
        )
        container.start()
        return container

    def names(self) -> list[str]:
        """Give the environment's containers, without the prefix."""
        return sorted(
            container.name.removeprefix(f"{self.layout.prefix}-") for container in self.leftovers.containers()
        )

    def write_state(self, *ids: str) -> None:
        """Write a state that knows these ids."""
        resources = [{"mode": "managed", "instances": [{"attributes": {"id": identity}} for identity in ids]}]
        self.layout.platform_state.write_text(
            json.dumps({"version": 4, "resources": resources}), encoding="utf-8"
        )


@pytest.fixture
def scene(engine: docker.DockerClient, base: str, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(engine, base, tmp_path)
    yield made
    made.leftovers.sweep()


def test_failed_jobs_go_and_everything_else_stays(scene: Scene) -> None:
    failed = scene.container("job-bad", "sh", "-c", "exit 3", **{JOB_LABEL: "bad"})
    done = scene.container("job-good", "true", **{JOB_LABEL: "good"})
    service = scene.container("service", "false")
    for container in (failed, done, service):
        container.wait()
    scene.leftovers.clear_failed_jobs()
    assert scene.names() == ["job-good", "service"]
    assert scene.said == [f"Removing {failed.name}, which failed with exit code 3; it runs again."]


def test_what_the_state_knows_is_no_stray(scene: Scene) -> None:
    known = scene.container("known", "sleep", "60")
    scene.write_state(known.id)
    scene.leftovers.clear_strays()
    assert scene.names() == ["known"]


def test_strays_of_someone_else_are_refused_and_left_alone(scene: Scene) -> None:
    scene.container("stray", "sleep", "60")
    with pytest.raises(
        InfraError, match=rf"that this checkout did not make \({scene.layout.prefix}-stray\).*make wipe"
    ):
        scene.leftovers.clear_strays()
    assert scene.names() == ["stray"]


def test_strays_of_a_run_that_was_cut_off_are_removed(scene: Scene) -> None:
    known, _ = scene.container("known", "sleep", "60"), scene.container("stray", "sleep", "60")
    scene.engine.networks.create(scene.layout.prefix, labels={ENVIRONMENT_LABEL: scene.layout.environment})
    scene.write_state(known.id)
    scene.layout.apply_mark.touch()
    scene.leftovers.clear_strays()
    assert scene.names() == ["known"]
    assert scene.engine.networks.list(names=[scene.layout.prefix]) == []


def test_a_sweep_leaves_nothing_of_this_environment_and_everything_of_others(
    scene: Scene, base: str, tmp_path: Path
) -> None:
    other = Scene(scene.engine, base, tmp_path / "other")
    other.container("service", "sleep", "60")
    scene.container("service", "sleep", "60")
    scene.engine.networks.create(f"{scene.layout.prefix}-coordination")
    scene.engine.volumes.create(f"{scene.layout.prefix}-kafka")
    try:
        swept = scene.leftovers.sweep()
        assert sorted(swept) == [
            f"{scene.layout.prefix}-{name}" for name in ("coordination", "kafka", "service")
        ]
        assert scene.leftovers.sweep() == []
        assert other.names() == ["service"]
    finally:
        other.leftovers.sweep()


def test_a_sick_container_is_told_with_its_last_words(scene: Scene) -> None:
    scene.container("service", "sh", "-c", "echo first; echo no space left; exit 1").wait()
    scene.container("job-good", "true", **{JOB_LABEL: "good"}).wait()
    scene.container("fine", "sleep", "60")
    assert scene.leftovers.sick() == [
        f"{scene.layout.prefix}-service is exited; its last words: no space left"
    ]


def test_memory_is_that_of_all_processes_of_a_container(scene: Scene) -> None:
    one = scene.container("one", "sleep", "60")
    many = scene.container("many", "sh", "-c", "for i in 1 2 3 4 5 6; do sleep 60 & done; wait")
    alone, together = container_mib(one), container_mib(many)
    assert alone is not None
    assert together is not None
    assert 0 < alone < together < 100
    one.kill()
    one.wait()
    assert container_mib(one) is None


def test_the_report_tells_services_from_jobs_and_well_from_sick(scene: Scene) -> None:
    scene.container("fine", "sleep", "60")
    scene.container("job-good", "true", **{JOB_LABEL: "good"}).wait()
    assert report(scene.layout.environment).is_well
    scene.container("job-bad", "false", **{JOB_LABEL: "bad"}).wait()
    found = report(scene.layout.environment)
    assert [(service.is_job, service.is_well) for service in found.services] == [
        (False, True),
        (True, False),
        (True, True),
    ]
    assert not found.is_well
    assert found.memory_mib > 0
