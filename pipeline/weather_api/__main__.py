"""Run the weather API: `python -m pipeline.weather_api [--host ADDRESS] [--port PORT]`. SIGTERM stops it."""

from __future__ import annotations

import argparse
import signal
import sys

import uvicorn

from pipeline.errors import ConfigError
from pipeline.weather_api.app import open_app
from pipeline.weather_api.settings import WeatherApiSettings


def main() -> int:
    """Serve until a signal comes; 2 when the settings or the recording are wrong."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.weather_api", description=__doc__)
    # In its container the service is reached from the others; the container's port is published on loopback
    # only.
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    # uvicorn shuts down on SIGTERM and then raises it anew, which would make the exit look like a crash.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        settings = WeatherApiSettings.from_env()
        app = open_app(settings)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the message is for who starts it
        return 2
    uvicorn.run(app, host=arguments.host, port=arguments.port, access_log=False, timeout_graceful_shutdown=5)
    return 0


if __name__ == "__main__":
    sys.exit(main())
