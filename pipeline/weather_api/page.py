"""The page at `/`: what is served, for people."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pipeline.sources.forecast import VARIABLES
from pipeline.units import METRICS
from pipeline.weather_api.faults import KINDS
from pipeline.weather_api.weather import NOTHING, hour_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pipeline.readings import Origin
    from pipeline.stations import Station
    from pipeline.weather_api.faults import Faults
    from pipeline.weather_api.feeds import Feeds
    from pipeline.weather_api.weather import Observer, Values, Weather

__all__ = ["build_page"]

_HEADLINES: Final[dict[Origin, str]] = {
    "live": "Live weather",
    "replay": "Recorded weather, shown as if it were today's",
    "synthetic": "Synthetic weather: none of it is real",
    "selftest": "Self-test: none of it is real",
}

_VARIABLES: Final = ",".join(VARIABLES[metric] for metric in METRICS)
_PLACES: Final = "latitude=33.4484,47.6062&longitude=-112.074,-122.3321"

# How far back the newest observation of a device or station may lie to be shown.
_SHOWN_WITHIN: Final = timedelta(hours=2)

_STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin: 2rem 0 .5rem 0; font-size: 1.2rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; }
th, td { border-bottom: 1px solid #8884; }
th { font-weight: 600; }
th[scope=row] { white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.label { padding: 0 .4rem; border: 1px solid #8888; border-radius: .3rem; font-size: .85rem; }
.fault { color: light-dark(#a00, #f88); font-weight: 600; }
.wide { overflow-x: auto; }
"""

_NUMBERS: Final = ("Temperature, °C", "Humidity, %", "Pressure, hPa", "Wind, m/s")


def build_page(feeds: Feeds, now: datetime, faults: Faults | None) -> str:
    """Build the page as it is at `now`."""
    weather = feeds.forecast
    terms = {"Time": f"{now:%Y-%m-%d %H:%M} UTC", **weather.describe(hour_of(now))}
    facts = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in terms.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Galewatch weather API: {weather.origin}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Galewatch weather API</h1><p><strong>{escape(_HEADLINES[weather.origin])}.</strong>"
        " It speaks three contracts, and every answer says what its values are.</p>"
        f"<dl>{facts}</dl>{_contracts(feeds, now)}{_faults(faults)}"
        f"{_observed('Devices of the gateway', feeds.gateway, feeds.devices, now)}"
        f"{_observed('Stations of the US weather service', feeds.nws, feeds.stations, now)}"
        f"{_places(weather, hour_of(now))}</body></html>"
    )


def _contracts(feeds: Feeds, now: datetime) -> str:
    """Show each contract, the label of its values and links to try it."""
    start, end = (quote(f"{at:%Y-%m-%dT%H:%M:%SZ}") for at in (now - timedelta(minutes=5), now))
    forecast = {
        "now, two places": f"/v1/forecast?{_PLACES}&current={_VARIABLES}",
        "today, hour by hour": f"/v1/forecast?{_PLACES}&forecast_days=1&hourly={_VARIABLES}",
        "the self-test's hot hour": f"/selftest/v1/forecast?{_PLACES}&current={_VARIABLES}",
    }
    gateway = {"the last five minutes": f"/gateway/readings.csv?start={start}&end={end}"}
    code = next(iter(feeds.stations), None)
    nws = {} if code is None else {"the last week": f"/stations/{code}/observations"}
    rows = (
        ("Open-Meteo", feeds.forecast.origin, "JSON, hourly values of any place", forecast),
        ("IoT gateway", feeds.gateway.origin, f"CSV, {feeds.gateway.about}", gateway),
        ("US National Weather Service", feeds.nws.origin, f"GeoJSON, {feeds.nws.about}", nws),
    )
    body = "".join(
        f'<tr><th scope="row">{name}</th><td><span class="label">{origin}</span></td><td>{escape(text)}</td>'
        f"<td>{_links(links)}</td></tr>"
        for name, origin, text, links in rows
    )
    return (
        f"<h2>Contracts</h2>{_table(('Contract', 'Values', 'What', 'Try it'), body)}"
        f"<p>{_links({'Health': '/healthz'})}</p>"
    )


def _faults(faults: Faults | None) -> str:
    """Show the switches, where there are any."""
    if faults is None:
        return (
            "<h2>Faults</h2><p>None can be switched on:"
            " the service was started without GALEWATCH_WEATHER_FAULTS=on.</p>"
        )
    body = ""
    for contract, fault in faults.listed().items():
        cell = "<td>none</td>"
        if fault is not None:
            more = {name: value for name, value in fault.items() if name not in {"kind", "times"}}
            details = "".join(f", {name} {value}" for name, value in more.items())
            times = "until it is reset" if fault["times"] is None else f"requests left: {fault['times']}"
            text = f"{fault['kind']}{details} ({KINDS[fault['kind']]}; {times})"
            cell = f'<td class="fault">{escape(text)}</td>'
        body += f'<tr><th scope="row">{contract}</th>{cell}</tr>'
    return (
        f"<h2>Faults</h2>{_table(('Contract', 'Fault'), body)}<p>Set one with"
        ' <code>PUT /faults/gateway {"kind": "overloaded", "times": 3}</code>,'
        f" reset it with <code>DELETE</code>; kinds: {', '.join(KINDS)}. {_links({'List': '/faults'})}</p>"
    )


def _observed(title: str, observer: Observer, stations: Mapping[str, Station], now: datetime) -> str:
    """Show the newest observation of each device or station."""
    if not stations:
        return ""
    rows = ""
    for code, station in stations.items():
        seen = observer.observations(station, now - _SHOWN_WITHIN, now + timedelta(seconds=1), now)
        at, values = (f"{seen[-1].at:%H:%M:%S}", seen[-1].values) if seen else ("\N{EN DASH}", NOTHING)
        rows += _row(code, (station.name, at), values)
    heads = ("Id", "Name", "Observed, UTC", *_NUMBERS)
    return f'<h2>{title} <span class="label">{observer.origin}</span></h2>{_table(heads, rows)}'


def _places(weather: Weather, now_hour: int) -> str:
    """Show every place that is known by name, with its weather now."""
    hours = range(now_hour, now_hour + 1)
    rows = "".join(
        _row(
            place.name,
            (f"{place.latitude:.4f}", f"{place.longitude:.4f}"),
            weather.series(place.latitude, place.longitude, hours, now_hour).values[0],
        )
        for place in weather.places()
    )
    heads = ("Place", "Latitude", "Longitude", *_NUMBERS)
    return rows and (
        f'<h2>Recorded places <span class="label">{weather.origin}</span></h2>{_table(heads, rows)}'
    )


def _table(heads: Iterable[str], body: str) -> str:
    cells = "".join(f'<th scope="col"{_number_class(head)}>{escape(head)}</th>' for head in heads)
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def _number_class(head: str) -> str:
    return ' class="number"' if head in _NUMBERS else ""


def _row(name: str, texts: Iterable[str], values: Values) -> str:
    cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
    numbers = ("\N{EN DASH}" if value is None else f"{value:.1f}" for value in values)
    cells += "".join(f'<td class="number">{number}</td>' for number in numbers)
    return f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'


def _links(links: Mapping[str, str]) -> str:
    return "<br>".join(f'<a href="{escape(url)}">{escape(text)}</a>' for text, url in links.items())
