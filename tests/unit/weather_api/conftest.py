"""For the tests that ask the API over HTTP: their client is closed when they are done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def _closed_client(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close the module's CLIENT, whose connections would be reported as left open."""
    yield
    client = getattr(request.module, "CLIENT", None)
    if client is not None:
        client.close()
