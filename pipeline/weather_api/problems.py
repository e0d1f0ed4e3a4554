"""Errors as `application/problem+json` (RFC 9457), as the US weather service and the gateway answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from starlette.responses import JSONResponse

__all__ = ["PROBLEM_TYPE", "ProblemError", "problem"]

PROBLEM_TYPE: Final = "application/problem+json"


class ProblemError(Exception):
    """A request that gets no data: the status, and the text of the answer's `detail`."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def problem(status: int, detail: str) -> JSONResponse:
    """Build the answer; its title is that of the status."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return JSONResponse(body, status_code=status, media_type=PROBLEM_TYPE)
