"""A real HTTP server on a free port of this machine, for an ASGI application under test."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE_SECONDS = 10


@contextmanager
def serve(app: Any) -> Iterator[str]:
    """Serve `app` while the block runs; gives the server's root URL."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    )
    # The socket listens already: a request that comes before the server has started waits in its queue.
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_PATIENCE_SECONDS)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"
