"""What every service's image promises: it runs unprivileged, is cheap to ask and shows no secret."""

import json

import docker
import pytest

from tests.integration.images import image
from tests.integration.stack import NAMES, STOP_SECONDS, Stack

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("name", NAMES)
def test_no_process_of_a_service_runs_as_root(stack: Stack, name: str) -> None:
    top = stack.services[name].container.top(ps_args="-eo uid,pid,args")
    users = {row[0]: row[1] for row in top["Processes"]}
    assert set(users) == {"10001"}, users


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_in_what_the_engine_shows_of_a_service(stack: Stack, name: str) -> None:
    container = stack.services[name].container
    container.reload()
    engine = docker.from_env()
    try:
        layers = json.dumps(engine.images.get(container.image.id).history())
    finally:
        engine.close()
    seen = {
        "inspect": json.dumps(container.attrs),
        "log": container.logs().decode(),
        "ps": json.dumps(container.top(ps_args="-eo uid,pid,args")),
        "image history": layers,
    }
    for secret in stack.environment.secrets.iterdir():
        leaks = [where for where, text in seen.items() if secret.read_text() in text]
        assert leaks == [], secret.name


@pytest.mark.parametrize("name", NAMES)
def test_rendered_configuration_is_readable_by_its_user_alone(stack: Stack, name: str) -> None:
    found = stack.services[name].container.exec_run(["find", "/tmp/galewatch", "-perm", "/077"])  # noqa: S108
    assert found.exit_code == 0, found.output
    assert found.output == b""


@pytest.mark.parametrize("name", NAMES)
def test_a_health_check_is_cheap(stack: Stack, name: str) -> None:
    container = stack.services[name].container
    runs = 20
    script = f"time (for i in $(seq {runs}); do /opt/galewatch/healthcheck || exit 1; done)"
    result = container.exec_run(["bash", "-c", f"TIMEFORMAT='%U %S'; {script}"])
    assert result.exit_code == 0, result.output
    user, system = result.output.decode().split()[-2:]
    assert (float(user) + float(system)) / runs < 0.1


@pytest.mark.parametrize("name", ["kafka", "postgres", "schema-registry", "zookeeper"])
def test_a_missing_secret_is_named(stack: Stack, name: str) -> None:
    engine = docker.from_env()
    try:
        container = engine.containers.create(stack.services[name].image, labels=stack.environment.labels)
        try:
            container.start()
            status = container.wait(timeout=STOP_SECONDS)["StatusCode"]
            log = container.logs().decode()
        finally:
            container.remove(force=True, v=True)
    finally:
        engine.close()
    assert status == 64
    assert "is missing: /run/galewatch/secrets/" in log


def test_a_newer_image_of_other_files_is_never_taken() -> None:
    """What another checkout, or a test that breaks the product, has built is not what is tested here."""
    engine = docker.from_env()
    try:
        mine = engine.images.get(image("zookeeper"))
        container = engine.containers.create(mine.id)
        other = container.commit("galewatch/zookeeper", "000000000000")
        try:
            assert str(other.attrs["Created"]) > str(mine.attrs["Created"])
            assert engine.images.get(image("zookeeper")).id == mine.id
        finally:
            container.remove()
            engine.images.remove(other.id)
    finally:
        engine.close()
