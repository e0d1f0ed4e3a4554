"""HTTP without a network: requests of an httpx client answered by an application of the same process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["client"]

_URL = "http://weather-api"


class _Transport(httpx.BaseTransport):
    """Hands each request to the application, and gives its whole answer."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


def client(app: Starlette) -> httpx.Client:
    """Make a client whose every request `app` answers; the address does not matter."""
    return httpx.Client(
        transport=_Transport(app), base_url=_URL, headers={"User-Agent": "galewatch"}, trust_env=False
    )
