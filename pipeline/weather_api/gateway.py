"""The contract of the IoT gateway: `GET /gateway/readings.csv?start=…&end=…[&devices=a,b]`.

The answer is CSV in the units of the devices, which stand in the names of the columns; times are RFC 3339;
an empty field is "not measured". The rows of [start, end) are in the order of time, then device. The last
line is `# rows=<n>`: without it, or with another count, the answer broke off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pipeline.readings import utc_text
from pipeline.units import METRICS, from_canonical
from pipeline.weather_api.interval import parse_interval
from pipeline.weather_api.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline.stations import Station
    from pipeline.units import Metric
    from pipeline.weather_api.weather import Observer, Values

__all__ = ["HEADER", "MEDIA_TYPE", "ORIGIN_HEADER", "GatewayQuery", "build_csv", "parse_gateway_query"]

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
ORIGIN_HEADER: Final = "X-Galewatch-Origin"

_COLUMNS: Final[dict[Metric, tuple[str, str]]] = {
    "temperature": ("temperature_f", "°F"),
    "humidity": ("humidity_pct", "%"),
    "pressure": ("pressure_pa", "Pa"),
    "wind_speed": ("wind_speed_mph", "mph"),
}
HEADER: Final = ",".join(("device_id", "observed_at", *(_COLUMNS[metric][0] for metric in METRICS)))
"""The answer's first line."""

# So many keep hundredths of °C and of hPa exact.
_DECIMALS: Final = 3

# A day of ten devices is some four megabytes.
_LONGEST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class GatewayQuery:
    """What was asked: [start, end) in UTC, of which devices."""

    start: datetime
    end: datetime
    devices: tuple[Station, ...]


def parse_gateway_query(parameters: Mapping[str, str], devices: Mapping[str, Station]) -> GatewayQuery:
    """Read the parameters, `devices` being those that there are; raises ProblemError."""
    start, end = parse_interval(parameters, _LONGEST)
    asked = [name for name in parameters.get("devices", "").split(",") if name] or list(devices)
    for name in asked:
        if name not in devices:
            raise ProblemError(404, f"the gateway has no device {name[:80]!r}")
    return GatewayQuery(start, end, tuple(devices[name] for name in dict.fromkeys(asked)))


def build_csv(observer: Observer, query: GatewayQuery, now: datetime) -> str:
    """Write the answer as known at `now`."""
    rows = sorted(
        (observation.at, device.source_code, observation.values)
        for device in query.devices
        for observation in observer.observations(device, query.start, query.end, now)
    )
    lines = [f"{code},{utc_text(at)},{_fields(values)}" for at, code, values in rows]
    return "\n".join([HEADER, *lines, f"# rows={len(lines)}"]) + "\n"


def _fields(values: Values) -> str:
    return ",".join(_field(value, metric) for metric, value in zip(METRICS, values, strict=True))


def _field(value: float | None, metric: Metric) -> str:
    if value is None:
        return ""
    text = f"{from_canonical(value, _COLUMNS[metric][1], metric):.{_DECIMALS}f}"
    return text.rstrip("0").rstrip(".")
