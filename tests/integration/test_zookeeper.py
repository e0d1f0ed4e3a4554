"""What the broker tells ZooKeeper for its life only: that it is there, and that it is the controller."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.znodes import NotLetInError, Znodes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.stack import Stack

pytestmark = pytest.mark.engine

BROKER = "/brokers/ids/1"
CONTROLLER = "/controller"
EPOCH = "/controller_epoch"
# The session's timeout, 3 s, and what ZooKeeper's ticks and a busy machine add to it.
EXPIRY_SECONDS = 30


def told(znodes: Znodes, path: str) -> Any:
    held = znodes.get(path)
    assert held is not None, path
    return json.loads(held)


def endpoints(stack: Stack) -> list[str]:
    return ["INTERNAL://kafka:9092", f"EXTERNAL://127.0.0.1:{stack.kafka.port}"]


def test_a_broker_is_registered_and_controls_as_long_as_it_lives_and_again_when_it_is_back(
    stack: Stack, record_property: Callable[[str, Any], None]
) -> None:
    stack.kafka.wait_until_healthy()
    with Znodes(stack.zookeeper) as znodes:
        first = told(znodes, BROKER)
        assert endpoints(stack) == first["endpoints"]
        assert 1 == told(znodes, CONTROLLER)["brokerid"]
        epoch = told(znodes, EPOCH)

        stack.kafka.container.kill()
        died = time.monotonic()
        try:
            # It cannot say that it goes: its session has to expire.
            while znodes.get(BROKER) is not None or znodes.get(CONTROLLER) is not None:
                assert time.monotonic() - died < EXPIRY_SECONDS
                time.sleep(0.1)
            noticed = time.monotonic() - died
            assert epoch == told(znodes, EPOCH)
        finally:
            stack.kafka.container.start()
            stack.kafka.wait_until_healthy()

    # A session of its own: the first one may have expired by now.
    with Znodes(stack.zookeeper) as znodes:
        again = told(znodes, BROKER)
        assert endpoints(stack) == again["endpoints"]
        assert int(first["timestamp"]) < int(again["timestamp"])
        assert 1 == told(znodes, CONTROLLER)["brokerid"]
        assert epoch + 1 == told(znodes, EPOCH)
    fault = {"fault": "broker killed", "observed": f"its registration is gone after {noticed:.1f} s"}
    outcome = {"outcome": "registered, elected anew", "recovery_s": time.monotonic() - died}
    record_property("proven_fault", {**fault, **outcome})


@pytest.mark.full
def test_a_broker_that_goes_by_itself_is_gone_at_once(stack: Stack) -> None:
    stack.kafka.wait_until_healthy()
    stack.kafka.container.stop(timeout=EXPIRY_SECONDS)
    try:
        with Znodes(stack.zookeeper) as znodes:
            assert [None, None] == [znodes.get(path) for path in (BROKER, CONTROLLER)]
    finally:
        stack.kafka.container.start()
        stack.kafka.wait_until_healthy()


def test_only_who_knows_the_brokers_password_is_let_in(stack: Stack) -> None:
    with pytest.raises(NotLetInError), Znodes(stack.zookeeper, "wrong"):
        pytest.fail("let in")


def test_who_does_not_log_in_is_not_even_let_read(stack: Stack) -> None:
    """What the broker writes is everybody's to read, unless who is nobody is refused altogether."""
    with Znodes(stack.zookeeper, logs_in=False) as znodes, pytest.raises(NotLetInError):
        znodes.get(EPOCH)
