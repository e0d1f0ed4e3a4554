"""The contract of each kind of source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.sources.gateway_csv import GatewayCsv
from pipeline.sources.nws_geojson import NwsGeoJson
from pipeline.sources.open_meteo import OpenMeteo

if TYPE_CHECKING:
    from pipeline.feeds import SourceFacts
    from pipeline.sources import Source

__all__ = ["source_of"]


def source_of(facts: SourceFacts) -> Source:
    """Make the source that an entry of sources.yaml describes."""
    match facts.kind:
        case "open-meteo":
            return OpenMeteo(facts.id, batch=facts.batch)
        case "gateway-csv":
            return GatewayCsv(facts.id, batch=facts.batch)
        case "nws-geojson":
            return NwsGeoJson(facts.id)
