"""The connection to the Docker engine.

One client a thread: Terraform works on ten resources at a time, and a `requests` session is not made for
that. The client's library is imported on first use, because validating a configuration needs no engine.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from galewatch_docker.errors import StandInError, StoppedError, UnreachableError

__all__ = ["DEFAULT_HOST", "MIB", "Engine", "engine_errors"]

DEFAULT_HOST = "unix:///var/run/docker.sock"
MIB = 1024 * 1024
_SCHEMES = ("unix://", "tcp://", "http://", "https://")
_IN_USE = {403, 409}  # what the engine answers for a network, and for anything else, that is in use
# Longer than any single answer of a busy engine; what may take longer (a build, a stop) sets its own limit.
_ANSWER_SECONDS = 120


class Engine:
    """One Docker engine, by the address that `docker -H` takes.

    Args:
        host: the address; None for DOCKER_HOST, or the local socket.
    """

    def __init__(self, host: str | None = None) -> None:
        self._stopping = threading.Event()
        self.address(host)

    def address(self, host: str | None) -> None:
        """Talk to the engine at this address from now on; None for DOCKER_HOST, or the local socket."""
        self.host = host or os.environ.get("DOCKER_HOST") or DEFAULT_HOST
        self._from_environment = not host
        self._local = threading.local()
        self._version: str | None = None

    @property
    def api(self) -> Any:
        """This thread's client.

        Raises:
            UnreachableError: nobody answers.
        """
        if not hasattr(self._local, "api"):
            self._local.api = self._connect()
        return self._local.api

    @property
    def version(self) -> tuple[int, ...]:
        """The API version that the engine and the client agreed on, such as (1, 41)."""
        return tuple(int(part) for part in self.api.api_version.split("."))

    def _connect(self) -> Any:
        if not self.host.startswith(_SCHEMES):
            raise UnreachableError(
                f"The offline stand-in does not speak to {self.host}",
                f"It knows addresses that begin with {', '.join(_SCHEMES)}.",
            )
        import docker  # noqa: PLC0415  # a tenth of a second, not needed for validation
        from docker.errors import DockerException  # noqa: PLC0415

        options = docker.utils.kwargs_from_env() if self._from_environment else {}
        options["base_url"] = self.host
        try:
            client = docker.APIClient(version=self._version or "auto", timeout=_ANSWER_SECONDS, **options)
        except DockerException as error:
            raise UnreachableError(
                f"No Docker engine answers at {self.host}",
                f"{error}\nStart the engine, or set DOCKER_HOST (or `host` of the provider) to its address.",
            ) from error
        self._version = client.api_version
        return client

    def stop(self) -> None:
        """Make every wait that is under way end with `StoppedError`, now and from now on."""
        self._stopping.set()

    def pause(self, seconds: float) -> None:
        """Wait a moment between two looks at the engine.

        Raises:
            StoppedError: Terraform was told to stop.
        """
        if self._stopping.wait(seconds):
            raise StoppedError

    def retry_while_in_use(self, attempt: Callable[[], Any], seconds: float) -> str | None:
        """Call `attempt` until the engine stops refusing it as "in use".

        Gives the refusal once the time is up, None when it went through. What is not there any more counts as
        done. Other errors pass through.
        """
        from docker.errors import APIError, NotFound  # noqa: PLC0415

        deadline = time.monotonic() + seconds
        while True:
            try:
                attempt()
            except NotFound:
                return None
            except APIError as error:
                if error.status_code not in _IN_USE:
                    raise
                if time.monotonic() > deadline:
                    return str(error.explanation)
            else:
                return None
            self.pause(0.25)


@contextmanager
def engine_errors(summary: str) -> Iterator[None]:
    """Turn what the engine refuses into an error that begins with `summary`."""
    from docker.errors import APIError, DockerException  # noqa: PLC0415
    from requests.exceptions import RequestException  # noqa: PLC0415

    try:
        yield
    except APIError as error:
        raise StandInError(summary, str(error.explanation or error)) from error
    except (DockerException, RequestException) as error:
        raise StandInError(summary, f"{type(error).__name__}: {error}") from error
