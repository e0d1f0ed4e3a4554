"""Processes of a bench: what goes wrong in one is a sentence in the other."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from benchmarks.errors import BenchError
from benchmarks.worker import Worker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def doubled(number: int, answer: Connection) -> None:
    answer.send(2 * number)


def failing(answer: Connection) -> None:
    raise OSError(f"no {answer.writable}")


def dying(_answer: Connection) -> None:
    os._exit(3)


def silent(_answer: Connection) -> None:
    time.sleep(60)


def test_an_answer_is_taken() -> None:
    with Worker("the doubler", doubled, 21) as worker:
        assert 42 == worker.take(30)


def test_what_goes_wrong_is_told_with_the_name_of_the_process() -> None:
    with (
        Worker("the sender", failing) as worker,
        pytest.raises(BenchError, match="the sender failed: OSError: no True"),
    ):
        worker.take(30)


def test_a_process_that_dies_is_told_with_its_exit_code() -> None:
    with (
        Worker("the probe", dying) as worker,
        pytest.raises(BenchError, match="the probe failed: it ended with exit code 3"),
    ):
        worker.take(30)


def test_a_process_that_says_nothing_is_told_and_ends_with_the_block() -> None:
    began = time.monotonic()
    with (
        Worker("the probe", silent) as worker,
        pytest.raises(BenchError, match="the probe failed: it does not answer"),
    ):
        worker.take(0.2)
    assert time.monotonic() - began < 30
