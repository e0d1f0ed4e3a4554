"""The IoT gateway's CSV: the readings of its devices in the order of time, each in the device's own units.

`GET /gateway/readings.csv?start=…&end=…&devices=a,b` answers the rows of [start, end). The first line names
the columns: device_id, observed_at, and for each metric its name and unit (temperature_f, humidity_pct); an
empty field is "not measured". The last line is `# rows=<n>`: without it the answer broke off. The header
X-Galewatch-Origin says what the values are (replay, synthetic); without it they are live.
"""

from __future__ import annotations

import csv
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict

from pipeline.config import shown
from pipeline.errors import ContractError, ReadingError, SourceUnavailableError
from pipeline.readings import FIELDS, Reading, utc_text
from pipeline.sources import Call, Fetched
from pipeline.sources._records import by_field, canonical, checked_origin, refused, storable
from pipeline.units import METRICS, UnitError, dimension, named_short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.readings import RejectedReading
    from pipeline.stations import Station
    from pipeline.units import Metric

__all__ = ["ORIGIN_HEADER", "GatewayCsv"]

ORIGIN_HEADER: Final = "X-Galewatch-Origin"

_MEDIA_TYPE: Final = "text/csv"
_DEVICE: Final = "device_id"
_TIME: Final = "observed_at"
_LAST_LINE: Final = re.compile(r"# rows=(\d{1,9})")
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
# Python reads more as a number than a device would write: 1_000, nan, infinity.
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d{1,3})?")
_SHOWN_END_LENGTH: Final = 80


class _Content(TypedDict):
    """What an answer says, whole: its rows with the header, without the last line."""

    origin: str
    lines: list[str]


class _Columns(NamedTuple):
    """Where each column stands, and in which unit the metrics are."""

    width: int
    device: int
    time: int
    metrics: Mapping[Metric, tuple[int, str]]


class GatewayCsv:
    """Asks for all devices in one call; splits them where there are more than `batch`."""

    def __init__(self, name: str, *, batch: int = 100) -> None:
        self.name = name
        self._batch = batch

    def calls(self, stations: Sequence[Station], start: datetime, end: datetime) -> tuple[Call, ...]:
        """Ask for the rows with start <= observed_at < end."""
        batches = (stations[first : first + self._batch] for first in range(0, len(stations), self._batch))
        return tuple(
            Call(
                "/gateway/readings.csv",
                tuple(batch),
                {
                    "start": utc_text(start),
                    "end": utc_text(end),
                    "devices": ",".join(station.source_code for station in batch),
                },
            )
            for batch in batches
        )

    def content(self, headers: Mapping[str, str], body: bytes) -> _Content:
        """Give the lines of a whole answer; raises SourceUnavailableError where it broke off."""
        media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type != _MEDIA_TYPE:
            raise ContractError(f"{self.name} answered {shown(media_type)}, where {_MEDIA_TYPE} was asked")
        text = storable(body.decode("utf-8", "replace"))
        lines = [line.removesuffix("\r") for line in text.split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        last = _LAST_LINE.fullmatch(lines[-1]) if lines else None
        if last is None:
            end = body[-_SHOWN_END_LENGTH:].decode("utf-8", "replace")
            raise SourceUnavailableError(
                f"{self.name} answered a body that breaks off before its last line '# rows=…': …{end!r}"
            )
        # The header and the last line are no rows.
        if int(last[1]) != len(lines) - 2:
            raise SourceUnavailableError(
                f"{self.name} answered {len(lines) - 2} rows where its last line says {last[1]}"
            )
        return {"origin": headers.get(ORIGIN_HEADER, "live"), "lines": lines[:-1]}

    def parse(
        self, content: Any, stations: Sequence[Station], start: datetime, end: datetime, fetched_at: datetime
    ) -> Fetched:
        """Give a reading, a rejected reading or an empty slot for each row; raises ContractError."""
        origin = checked_origin(self.name, content["origin"], f"in {ORIGIN_HEADER}")
        header, *lines = content["lines"]
        columns = self._columns(header)
        by_code = {station.source_code: station for station in stations}
        readings: list[Reading] = []
        rejected: list[RejectedReading] = []
        empty = 0
        for line in lines:
            row = _Row(line, columns)
            try:
                station, observed_at, values = row.read(by_code, start, end)
                if all(value is None for value in values.values()):
                    empty += 1
                    continue
                readings.append(
                    Reading.parse(
                        {
                            "station_id": station.id,
                            "observed_at": observed_at,
                            "source": self.name,
                            "origin": origin,
                            "fetched_at": fetched_at,
                            **by_field(values),
                        }
                    )
                )
            except ReadingError as error:
                rejected.append(refused(self.name, row.device(by_code), row.time(), str(error), line))
        return Fetched(tuple(readings), tuple(rejected), empty)

    def _columns(self, header: str) -> _Columns:
        """Read the header: every column is known, each metric is there, and once."""
        names = header.split(",")
        metrics: dict[Metric, tuple[int, str]] = {}
        for index, name in enumerate(names):
            if name in (_DEVICE, _TIME):
                continue
            metric = next((known for known in METRICS if name.startswith(f"{known}_")), None)
            if metric is None:
                raise ContractError(f"{self.name} answered the unknown column {shown(name)}")
            try:
                unit = named_short(name.removeprefix(f"{metric}_"))
            except UnitError as error:
                raise ContractError(f"{self.name} answered the column {shown(name)}: {error}") from None
            if dimension(unit) != metric:
                raise ContractError(
                    f"{self.name} answered the column {shown(name)}: {unit} is no unit of {metric}"
                )
            if metric in metrics:
                raise ContractError(f"{self.name} answered two columns of {metric}")
            metrics[metric] = (index, unit)
        for name in (_DEVICE, _TIME, *METRICS):
            there = name in metrics if name in METRICS else names.count(name) == 1
            if not there:
                raise ContractError(
                    f"{self.name} answered no column of {name}, or more than one: {shown(header)}"
                )
        return _Columns(len(names), names.index(_DEVICE), names.index(_TIME), metrics)


class _Row:
    """One line, field by field; what is wrong with it is a ReadingError."""

    def __init__(self, line: str, columns: _Columns) -> None:
        self._columns = columns
        try:
            self._fields = next(csv.reader([line], strict=True), [])
        except csv.Error:
            self._fields = []

    def read(
        self, by_code: Mapping[str, Station], start: datetime, end: datetime
    ) -> tuple[Station, datetime, dict[Metric, float | None]]:
        """Give device, time and canonical values."""
        if len(self._fields) != self._columns.width:
            raise ReadingError(f"the row has {len(self._fields)} fields, the header {self._columns.width}")
        code = self._fields[self._columns.device]
        if code not in by_code:
            raise ReadingError(f"{_DEVICE} is {shown(code)}, none of those asked")
        observed_at = self.time()
        if observed_at is None:
            text = self._fields[self._columns.time]
            raise ReadingError(f"{_TIME} is {shown(text)}, no time with a zone (RFC 3339)")
        if not start <= observed_at < end:
            raise ReadingError(f"{_TIME} is {utc_text(observed_at)}, outside of the interval asked")
        values = {
            metric: canonical(metric, _number(metric, self._fields[index]), unit)
            for metric, (index, unit) in self._columns.metrics.items()
        }
        return by_code[code], observed_at, values

    def device(self, by_code: Mapping[str, Station]) -> str:
        """Give the station's id; of a device that is not known, its own text."""
        if len(self._fields) <= self._columns.device:
            return ""
        code = self._fields[self._columns.device]
        return by_code[code].id if code in by_code else code

    def time(self) -> datetime | None:
        """Give the time of the row, if it is one."""
        text = self._fields[self._columns.time] if len(self._fields) > self._columns.time else ""
        if not _RFC_3339.fullmatch(text):
            return None
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None


def _number(metric: Metric, text: str) -> float | None:
    if text == "":
        return None
    if not _NUMBER.fullmatch(text):
        raise ReadingError(f"{FIELDS[metric]} is {shown(text)}, no number")
    return float(text)
