"""One DAG for each source of config/sources.yaml that has stations: ingest_open_meteo and so on."""

from __future__ import annotations

from pipeline.airflow_dags import ingest_dag
from pipeline.feeds import load_feeds

for feed in load_feeds():
    if feed.stations:
        ingest_dag(feed)
