"""The command `demo`: a day of weather without Docker, root or network."""

from __future__ import annotations

import time

from pipeline.cli.output import console, sentences

__all__ = ["demo"]


def demo() -> None:
    """Play the last 24 hours of weather through sources, rules and windows, all in this process.

    It needs neither Docker nor a network. The weather is synthetic, or recorded where GALEWATCH_REPLAY names
    a folder with recordings.
    """
    from pipeline.config import config_dir  # noqa: PLC0415 - the other commands need none of these
    from pipeline.demo.day import fetch  # noqa: PLC0415
    from pipeline.demo.play import play  # noqa: PLC0415
    from pipeline.demo.show import page  # noqa: PLC0415
    from pipeline.platform import load_platform  # noqa: PLC0415
    from pipeline.rules import load_rules  # noqa: PLC0415
    from pipeline.weather_api.settings import WeatherApiSettings  # noqa: PLC0415

    began = time.monotonic()
    out = console()
    with sentences():
        config = config_dir()
        rules = load_rules(config / "rules.yaml")
        day = fetch(WeatherApiSettings.from_env(), config)
        readings = day.readings
        outcome = play(readings, rules, load_platform(config).streaming.window_seconds)
    page(out, day, outcome, rules)
    seconds = time.monotonic() - began
    out.print(
        f"{len(readings):,} readings in {seconds:.1f} s in one process, by the code that the services run. "
        "[bold]make up[/] runs the services."
    )
