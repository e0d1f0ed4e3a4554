"""What is asked, and how long a refusal is respected: batches, windows, retries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.errors import SourceError
from pipeline.feeds import SourceFacts
from pipeline.retries import Verdict, judge
from pipeline.sources import Call, Fetched
from pipeline.sources.asking import Asker
from pipeline.sources.kinds import source_of
from tests import profiles
from tests.local_server import serve
from tests.strategies import stations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.requests import Request

    from pipeline.stations import Station

pytestmark = pytest.mark.slow

START = datetime(2026, 7, 1, 12, tzinfo=UTC)
WINDOWS = {"minutely": 60, "hourly": 3600, "daily": 86400, "concurrent": 60}
KINDS = st.sampled_from(["open-meteo", "gateway-csv", "nws-geojson"])
CLIENT = httpx.Client()
words = st.text(st.characters(codec="utf-8"), max_size=60)


class Refusing:
    """A source whose service refuses as the call asks it to."""

    name = "refusing"

    def __init__(self, **refusal: str) -> None:
        self._refusal = refusal

    def calls(self, stations: Sequence[Station], start: datetime, end: datetime) -> tuple[Call, ...]:  # noqa: ARG002
        """Ask for the refusal."""
        return (Call("/refuse", (), self._refusal),)

    def content(self, headers: Mapping[str, str], body: bytes) -> Any:
        """Never get here: nothing is answered with 200."""
        raise AssertionError((headers, body))

    def parse(
        self, content: Any, stations: Sequence[Station], start: datetime, end: datetime, fetched_at: datetime
    ) -> Fetched:
        """Never get here."""
        raise AssertionError((content, stations, start, end, fetched_at))


async def _refuse(request: Request) -> Response:
    asked = request.query_params
    headers = {"Retry-After": asked["after"]} if "after" in asked else {}
    form = asked.get("form", "reason")
    if form == "text":
        return Response(asked["reason"], int(asked["status"]), headers)
    return JSONResponse({form: asked["reason"]}, int(asked["status"]), headers)


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    with serve(Starlette(routes=[Route("/refuse", _refuse)])) as url:
        yield url


def verdict(service: str, **refusal: str) -> Verdict:
    """Give what is made of a refusal."""
    with pytest.raises(SourceError) as caught:
        Asker(service, CLIENT).fetch(Refusing(**refusal), [], START, START, fetched_at=START)
    return judge(caught.value)


forms = st.sampled_from(["reason", "detail", "title", "text"])


@profiles.CONTAINER
@given(st.integers(400, 499).filter(lambda status: status not in (408, 429)), words, forms)
def test_a_refusal_as_invalid_is_never_tried_again(service: str, status: int, reason: str, form: str) -> None:
    assert not verdict(service, status=str(status), reason=reason, form=form).again


@profiles.CONTAINER
@given(st.sampled_from(sorted(WINDOWS)), st.tuples(words, words), forms, st.none() | st.integers(0, 200_000))
def test_a_limit_is_left_alone_for_as_long_as_its_text_and_its_header_say(
    service: str, window: str, around: tuple[str, str], form: str, header: int | None
) -> None:
    refusal = {"status": "429", "reason": f" {window.title()} ".join(around), "form": form}
    found = verdict(service, **refusal, **({} if header is None else {"after": str(header)}))
    assert found.again
    assert found.after is not None
    assert found.after >= timedelta(seconds=max(WINDOWS[window], header or 0))


@profiles.CONTAINER
@given(words.filter(lambda text: not any(window in text.lower() for window in WINDOWS)), forms)
def test_a_limit_without_a_window_is_left_alone_for_an_hour(service: str, reason: str, form: str) -> None:
    found = verdict(service, status="429", reason=reason, form=form)
    assert (found.again, found.after) == (True, timedelta(hours=1))


@profiles.CONTAINER
@given(st.integers(500, 599), words, forms)
def test_a_service_in_trouble_is_asked_again_at_the_tasks_own_pace(
    service: str, status: int, reason: str, form: str
) -> None:
    found = verdict(service, status=str(status), reason=reason, form=form)
    assert (found.again, found.after) == (True, None)


@given(
    KINDS, st.integers(1, 7), st.lists(stations(), max_size=20, unique_by=lambda s: s.id), st.integers(1, 48)
)
def test_every_station_is_asked_for_once_in_its_turn_and_no_call_is_too_large(
    kind: Any, batch: int, asked: list[Station], hours: int
) -> None:
    source = source_of(SourceFacts(id="a", kind=kind, interval="1h", catch_up="1d", batch=batch))
    calls = source.calls(asked, START, START + timedelta(hours=hours))
    assert [station for call in calls for station in call.stations] == asked
    assert all(1 <= len(call.stations) <= batch for call in calls)
