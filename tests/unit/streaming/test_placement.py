"""The worker that a copy of the alerts driver chooses."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StreamingError
from pipeline.streaming.placement import choose, choose_worker, resource_of

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = ["spark-worker-0", "spark-worker-1"]


class Master:
    """A master's page: what it tells of its workers."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.workers: list[dict[str, Any]] = []

    def knows(self, *hosts: str, state: str = "ALIVE") -> None:
        """Tell of these workers, too."""
        self.workers += [{"host": host, "state": state} for host in hosts]

    def chosen(self, copy: int, copies: int, stop: Event | None = None, **seconds: float) -> str | None:
        """Let a copy choose."""
        limits = {"late_seconds": 0.0, "deadline_seconds": 0.0, **seconds}
        return choose_worker(
            "spark://127.0.0.1:7077,spark://elsewhere:7077",
            copy,
            copies,
            stop or Event(),
            page_port=self.port,
            **limits,
        )


@pytest.fixture
def master() -> Iterator[Master]:
    """A master without workers yet."""
    with _served() as made:
        yield made


@contextmanager
def _served() -> Iterator[Master]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"workers": made.workers}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    made = Master(server.server_port)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


@given(st.integers(1, 3), st.sets(st.integers(0, 7), min_size=1, max_size=8), st.randoms())
def test_copies_are_spread_as_evenly_as_workers_allow(copies: int, numbers: set[int], order: Any) -> None:
    """No worker has two copies while another has none, in whatever order the master names them."""
    workers = [f"spark-worker-{number}" for number in numbers]
    order.shuffle(workers)
    chosen = [choose(copy, workers) for copy in range(copies)]
    counts = [chosen.count(worker) for worker in workers]
    assert max(counts) - min(counts) <= 1


def test_each_copy_has_a_worker_of_its_own_while_there_are_enough(master: Master) -> None:
    master.knows(*WORKERS)
    assert WORKERS == [master.chosen(copy, 2) for copy in range(2)]


def test_a_dead_worker_is_none(master: Master) -> None:
    master.knows("spark-worker-0", state="DEAD")
    master.knows("spark-worker-1")
    assert ["spark-worker-1"] * 2 == [master.chosen(copy, 2) for copy in range(2)]


def test_a_worker_that_comes_a_little_later_is_waited_for(master: Master) -> None:
    master.knows("spark-worker-0")
    late = threading.Timer(0.2, master.knows, ("spark-worker-1",))
    late.start()
    assert "spark-worker-1" == master.chosen(1, 2, late_seconds=30)
    late.join()


def test_fewer_workers_than_copies_have_to_do_after_a_while(master: Master) -> None:
    master.knows("spark-worker-0")
    began = time.monotonic()
    assert "spark-worker-0" == master.chosen(1, 2, late_seconds=0.6)
    assert time.monotonic() - began >= 0.6


def test_no_worker_at_all_is_one_sentence(master: Master) -> None:
    with pytest.raises(StreamingError, match="copy 1 of the alerts driver found no worker at http://127"):
        master.chosen(1, 2)


def test_a_master_that_does_not_answer_is_asked_until_the_deadline() -> None:
    with _served() as gone:
        pass
    with pytest.raises(StreamingError, match="do the master and a worker run"):
        gone.chosen(0, 1)


def test_a_driver_that_is_told_to_stop_chooses_none(master: Master) -> None:
    stop = Event()
    stop.set()
    assert master.chosen(0, 1, stop, deadline_seconds=60) is None


def test_a_workers_resource_has_a_name_without_a_dot() -> None:
    assert "worker-1-example" == resource_of("worker-1.example")
