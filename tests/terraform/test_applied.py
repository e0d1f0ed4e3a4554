"""What is applied stays as the configuration says: drift is seen and repaired, a change changes what it must.

On a part of the platform (tests/terraform/small_platform.py), through the steps of `make up`. The tests come
in their order; the last destroys it.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from docker.errors import APIError, NotFound

from pipeline.infra.errors import InfraError
from pipeline.infra.leftovers import Leftovers
from pipeline.platform import load_platform
from tests.e2e.stack import until
from tests.integration.faults import proven
from tests.integration.images import image
from tests.terraform.small_platform import SmallPlatform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.engine, pytest.mark.full]

MIB = 1024 * 1024
SERVICES = {"kafka", "spark-master", "spark-worker-0", "weather-api", "zookeeper"}
IN_TIME_SECONDS = 60


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallPlatform]:
    """The small platform, applied once, with one worker."""
    for service in ("kafka", "spark", "zookeeper"):
        image(service)  # a readable error if `make images` has not run
    with SmallPlatform(tmp_path_factory.mktemp("checkout")) as made:
        assert made.apply()
        yield made


def is_as_configured(platform: SmallPlatform) -> bool:
    """Tell whether a further plan is empty and everything is well; fails with what is not."""
    assert {} == platform.planned()
    assert {"healthy", "exit 0"} >= set(platform.health().values()), platform.health()
    return True


def test_a_second_plan_is_empty(platform: SmallPlatform) -> None:
    """Everything is there, healthy, and nothing is to be done."""
    assert SERVICES | {"job-kafka"} == set(platform.ids())
    assert is_as_configured(platform)
    assert not platform.apply()


def test_what_was_killed_stopped_or_removed_is_seen_and_repaired(platform: SmallPlatform) -> None:
    """Each is planned by itself, its neighbours keep their containers, and a further plan is empty."""
    before = platform.ids()
    platform.container("spark-worker-0").kill()
    platform.container("spark-master").stop(timeout=20)
    platform.container("weather-api").remove(force=True)
    assert {
        "spark_worker 0": "replace",
        "spark_master": "replace",
        "weather_api": "create",
    } == platform.planned()

    assert platform.apply()
    after = platform.ids()
    changed = {service for service in before if before[service] != after[service]}
    assert {"spark-worker-0", "spark-master", "weather-api"} == changed
    assert is_as_configured(platform)


def test_what_was_edited_by_hand_is_seen_and_repaired(
    platform: SmallPlatform, record_property: Callable[[str, object], None]
) -> None:
    """Limits and the restart policy in place, a network that was joined or left by a new container."""
    before = platform.ids()
    main = platform.engine.networks.get(f"galewatch-{platform.name}")
    coordination = platform.engine.networks.get(f"galewatch-{platform.name}-coordination")
    platform.container("kafka").update(mem_limit="600m", memswap_limit="600m")
    platform.container("spark-master").update(restart_policy={"Name": "no"})
    coordination.connect(platform.container("weather-api"))
    main.disconnect(platform.container("spark-worker-0"))
    assert {
        "kafka": "update",
        "spark_master": "update",
        "spark_worker 0": "replace",
        "weather_api": "replace",
    } == platform.planned()

    edited = time.monotonic()
    assert platform.apply()
    repaired = time.monotonic()
    after = platform.ids()
    assert {"spark-worker-0", "weather-api"} == {name for name in before if before[name] != after[name]}
    assert 640 * MIB == platform.container("kafka").attrs["HostConfig"]["Memory"]
    assert "unless-stopped" == platform.container("spark-master").attrs["HostConfig"]["RestartPolicy"]["Name"]
    coordination.reload()
    assert {f"galewatch-{platform.name}-{service}" for service in ("kafka", "zookeeper")} == {
        container.name for container in coordination.containers
    }
    assert is_as_configured(platform)
    proven(
        record_property,
        "containers edited by hand",
        observed="each named by the plan",
        outcome="repaired by the next apply, neighbours untouched",
        recovery_s=repaired - edited,
    )


def test_a_change_of_one_services_configuration_replaces_it_alone(
    platform: SmallPlatform,
) -> None:
    """A station more is the weather API's business, and of those who read the stations."""
    before = platform.ids()
    file = platform.layout.root / "config" / "stations.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "\n# Another line.\n", encoding="utf-8")
    assert {"weather_api": "replace"} == platform.planned()

    assert platform.apply()
    after = platform.ids()
    assert {"weather-api"} == {service for service in before if before[service] != after[service]}
    assert is_as_configured(platform)


def test_another_limit_is_set_in_place(platform: SmallPlatform) -> None:
    """No container is made anew for more memory."""
    before = platform.ids()
    platform.edit("infra/terraform/coordination.tf", "memory_mib  = 192", "memory_mib  = 208")
    assert {"zookeeper": "update"} == platform.planned()

    assert platform.apply()
    assert before == platform.ids()
    assert 208 * MIB == platform.container("zookeeper").attrs["HostConfig"]["Memory"]
    assert is_as_configured(platform)


def test_a_worker_more_is_one_container_more_and_a_worker_less_one_less(platform: SmallPlatform) -> None:
    """From one worker to two and back, nobody else's container is touched."""
    before = platform.ids()
    platform.set(spark_workers=2)
    assert {"spark_worker 1": "create"} == platform.planned()
    assert platform.apply()
    after = platform.ids()
    assert {"spark-worker-1"} == set(after) - set(before)
    assert before.items() <= after.items()
    assert is_as_configured(platform)

    platform.set(spark_workers=1)
    assert {"spark_worker 1": "delete"} == platform.planned()
    assert platform.apply()
    assert before == platform.ids()


def test_a_failed_job_is_told_and_recovers_with_the_next_apply(platform: SmallPlatform) -> None:
    """A job that dies fails the apply with its exit code; the next one removes it and runs it again."""
    before = platform.ids()
    kafka = platform.container("kafka")
    platform.container("job-kafka").remove(force=True)
    kafka.pause()  # so that the job waits
    told: list[InfraError] = []

    def apply() -> None:
        try:
            platform.apply()
        except InfraError as error:
            told.append(error)

    applying = threading.Thread(target=apply)
    applying.start()
    try:
        until("the job runs", lambda: runs(platform, "job-kafka"), within_s=IN_TIME_SECONDS, every_s=0.1)
        with suppress(APIError):
            platform.container("job-kafka").kill()
        applying.join()
    finally:
        kafka.unpause()
    assert ["The job kafka failed with exit code 137"] == [
        part for error in told for part in [str(error)[str(error).index("The job kafka") :][:39]]
    ]

    until("Kafka is well again", lambda: platform.health()["kafka"] == "healthy", within_s=IN_TIME_SECONDS)
    assert platform.apply()
    removed = f"Removing galewatch-{platform.name}-job-kafka, which failed with exit code 137; it runs again."
    assert removed in platform.log()
    after = platform.ids()
    assert {"job-kafka"} == {service for service in before if before[service] != after[service]}
    assert is_as_configured(platform)


def runs(platform: SmallPlatform, service: str) -> bool:
    """Tell whether a container runs just now."""
    try:
        return bool(platform.container(service).attrs["State"]["Running"])
    except NotFound:
        return False


def test_destroy_leaves_the_volumes_that_storage_declares_and_their_data(platform: SmallPlatform) -> None:
    """No container and no network is left; the data is there, until the other root is destroyed, too."""
    kept = {f"galewatch-{platform.name}-{name}" for name in load_platform().volumes}

    def volumes() -> set[str]:
        found = platform.engine.volumes.list(filters={"name": f"galewatch-{platform.name}-"})
        return {volume.name for volume in found}

    cluster = cluster_id(platform)
    platform.roots.destroy_platform()
    assert [] == platform.containers()
    assert [] == platform.engine.networks.list(names=[f"galewatch-{platform.name}"])
    assert kept == volumes()

    assert platform.apply()
    assert cluster == cluster_id(platform)
    assert is_as_configured(platform)

    platform.roots.destroy_platform()
    platform.roots.destroy_storage()
    assert set() == volumes()
    assert [] == Leftovers(platform.layout, platform.engine, print).sweep()


def cluster_id(platform: SmallPlatform) -> str:
    """Give the id that Kafka's data is marked with, once and for all."""
    found = platform.container("kafka").exec_run(
        ["sh", "-c", "cat $(find /var/lib/galewatch -name meta.properties)"]
    )
    (line,) = [line for line in found.output.decode().splitlines() if line.startswith("cluster.id=")]
    return str(line)
