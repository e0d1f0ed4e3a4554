"""The page at `/`: what is served, for people."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from pipeline.sources.forecast import VARIABLES
from pipeline.units import METRICS
from pipeline.weather_api.weather import hour_of

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.readings import Origin
    from pipeline.weather_api.weather import Place, Values, Weather

__all__ = ["build_page"]

_HEADLINES: Final[dict[Origin, str]] = {
    "live": "Live weather",
    "replay": "Recorded weather, shown as if it were today's",
    "synthetic": "Synthetic weather: none of it is real",
    "selftest": "Self-test: none of it is real",
}

_VARIABLES: Final = ",".join(VARIABLES[metric] for metric in METRICS)
_PLACES: Final = "latitude=33.4484,47.6062&longitude=-112.074,-122.3321"

_LINKS: Final = {
    "The weather now, of two places": f"/v1/forecast?{_PLACES}&current={_VARIABLES}",
    "Today, hour by hour": f"/v1/forecast?{_PLACES}&forecast_days=1&hourly={_VARIABLES}",
    "The self-test's hot hour": f"/selftest/v1/forecast?{_PLACES}&current={_VARIABLES}",
    "Health": "/healthz",
}

_STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem 0; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #8884; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
"""


def build_page(weather: Weather, now: datetime) -> str:
    """Build the page as it is at `now`."""
    now_hour = hour_of(now)
    terms = {"Time": f"{now:%Y-%m-%d %H:%M} UTC", **weather.describe(now_hour)}
    facts = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in terms.items())
    links = "".join(f'<li><a href="{escape(url)}">{text}</a></li>' for text, url in _LINKS.items())
    headline = escape(_HEADLINES[weather.origin])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Galewatch weather API: {weather.origin}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Galewatch weather API</h1><p><strong>{headline}.</strong> It speaks the contract of"
        f" Open-Meteo's <code>/v1/forecast</code> and labels each location <code>{weather.origin}</code>.</p>"
        f"<dl>{facts}</dl><h2>Try it</h2><ul>{links}</ul>{_table(weather, now_hour)}</body></html>"
    )


def _table(weather: Weather, now_hour: int) -> str:
    """Show every place that is known by name, with its weather now."""
    places = weather.places()
    if not places:
        return ""
    hours = range(now_hour, now_hour + 1)
    rows = "".join(
        _row(place, weather.series(place.latitude, place.longitude, hours, now_hour).values[0])
        for place in places
    )
    heads = ("Latitude", "Longitude", "Temperature, °C", "Humidity, %", "Pressure, hPa")
    cells = "".join(f'<th scope="col" class="number">{head}</th>' for head in heads)
    return (
        f'<h2>Places</h2><table><thead><tr><th scope="col">Place</th>{cells}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(place: Place, values: Values) -> str:
    numbers = (
        f"{place.latitude:.4f}",
        f"{place.longitude:.4f}",
        *("\N{EN DASH}" if value is None else f"{value:g}" for value in values[:3]),
    )
    cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
    return f'<tr><th scope="row">{escape(place.name)}</th>{cells}</tr>'
