"""A way to the broker on which answers get lost: what it has written, its producer never hears of.

It reads Kafka's own framing, so it knows which answer belongs to a Produce request, and puts its own port in
the place of the broker's in every answer, so that clients stay on it.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Self

from tests.integration.environment import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.containers import Kafka

__all__ = ["ForgetfulProxy"]

_PRODUCE = 0
_PATIENCE_SECONDS = 10


class ForgetfulProxy:
    """Leads to a broker; cuts the connection in the place of every `every`-th answer to a Produce request.

    Attributes:
        bootstrap: The address that clients use instead of the broker's.
        lost: How many answers have been lost so far.
    """

    def __init__(self, kafka: Kafka, *, every: int) -> None:
        self._kafka = kafka
        self._every = every
        self._answers = 0
        self.lost = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        port = self._listener.getsockname()[1]
        self.bootstrap = f"{LOOPBACK}:{port}"
        host = LOOPBACK.encode()
        self._broker_place = host + struct.pack(">i", kafka.port)
        self._own_place = host + struct.pack(">i", port)

    def __enter__(self) -> Self:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """Cut every connection, and wait until nobody works here any more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            self._cut(connection)
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)
            assert not thread.is_alive()

    def _begin(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                broker = socket.create_connection((LOOPBACK, self._kafka.port), timeout=_PATIENCE_SECONDS)
                broker.settimeout(None)
                self._open |= {client, broker}
                produced: set[int] = set()
                self._begin(self._requests, client, broker, produced)
                self._begin(self._answers_of, broker, client, produced)

    def _requests(self, client: socket.socket, broker: socket.socket, produced: set[int]) -> None:
        with self._both(client, broker), contextlib.suppress(OSError):
            for frame in _frames(client):
                kind, _, correlation = struct.unpack(">hhi", frame[:8])
                if kind == _PRODUCE:
                    produced.add(correlation)
                broker.sendall(_framed(frame))

    def _answers_of(self, broker: socket.socket, client: socket.socket, produced: set[int]) -> None:
        with self._both(client, broker), contextlib.suppress(OSError):
            for frame in _frames(broker):
                (correlation,) = struct.unpack(">i", frame[:4])
                if correlation in produced and self._is_to_be_lost():
                    return
                client.sendall(_framed(frame.replace(self._broker_place, self._own_place)))

    def _is_to_be_lost(self) -> bool:
        with self._lock:
            self._answers += 1
            lost = self._answers % self._every == 0
            self.lost += lost
        return lost

    @contextlib.contextmanager
    def _both(self, client: socket.socket, broker: socket.socket) -> Iterator[None]:
        """End one direction with the other."""
        try:
            yield
        finally:
            self._cut(client)
            self._cut(broker)

    @staticmethod
    def _cut(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def _frames(connection: socket.socket) -> Iterator[bytes]:
    """Give what comes, frame by frame, without their lengths, until the connection ends."""
    with connection.makefile("rb") as stream:
        while len(head := stream.read(4)) == 4:
            (length,) = struct.unpack(">i", head)
            body = stream.read(length)
            if len(body) < length:
                return
            yield body


def _framed(body: bytes) -> bytes:
    return struct.pack(">i", len(body)) + body
