"""Everything that `terraform apply` needs before it can begin, and nothing that it does itself.

Engine, base image, provider, secrets, and the variables that are true of this machine only. Doing it again
changes nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import docker

from pipeline.errors import GalewatchError
from pipeline.infra import engine as engines
from pipeline.infra import preflight, provider, secrets, weather
from pipeline.infra.base_image import ensure_base
from pipeline.infra.errors import InfraError
from pipeline.infra.terraform import Terraform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.infra.layout import Layout
    from pipeline.infra.progress import Progress, Step
    from pipeline.infra.provider import Provider
    from pipeline.infra.weather import Weather

__all__ = ["Prepared", "connect", "engine_if_any", "prepare", "prepare_provider"]

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the next steps build on."""

    engine: docker.DockerClient
    provider: Provider
    weather: Weather
    base_image: str


def prepare(layout: Layout, progress: Progress, binary: str, *, with_ports: bool = True) -> Prepared:
    """Check the machine and prepare it; raises InfraError saying what to do.

    `with_ports` tells whether the environment's ports have to be free: only what starts services needs them.
    """
    keep_loopback_direct()
    with progress.step("This machine") as step:
        preflight.check(layout, binary, engine_if_any(), with_ports=with_ports)
        step.result = "memory, disk, ports and versions are fine"
    with progress.step("Docker engine") as step:
        engine = engines.ensure_engine(layout.logs, step.say)
        step.result = f"version {engine.version()['Version']}"
    with progress.step("Base image") as step:
        base_image = _base_image(layout, step)
        step.result = base_image
    chosen = prepare_provider(layout, progress, binary)
    with progress.step("Secrets") as step:
        new = secrets.ensure_secrets(layout.secrets)
        step.result = f"{len(new)} generated" if new else "all there"
    with progress.step("Weather") as step:
        source = weather.choose(os.environ, _running_weather(layout), weather.open_meteo_answers)
        step.result = str(source)
    _write_variables(layout, base_image, source)
    return Prepared(engine, chosen, source, base_image)


def prepare_provider(layout: Layout, progress: Progress, binary: str) -> Provider:
    """Choose the provider and put it where Terraform finds it."""
    with progress.step("Terraform provider") as step:
        program = Terraform(layout.platform_root, binary=binary, timeout_s=20).version()[0]
        kind = provider.choose(
            wanted=os.environ.get(provider.CHOICE_VARIABLE) or None,
            remembered=provider.remembered_choice(layout),
            states=(state for state in layout.platform_states() if provider.holds_anything(state)),
            official_answers=lambda: provider.registry_answers(program),
        )
        chosen = provider.install(layout, kind, program, Path(sys.executable))
        step.result = {
            provider.Kind.OFFICIAL: "kreuzwerker/docker, from its registry",
            provider.Kind.OFFLINE: "the offline stand-in for kreuzwerker/docker (no registry answers)",
        }[kind]
    return chosen


def engine_if_any() -> docker.DockerClient | None:
    """Give a client where an engine answers already."""
    if engines.look().answer is not engines.Answer.READY:
        return None
    if address := engines.engine_address(os.environ):
        os.environ["DOCKER_HOST"] = address
    return docker.from_env(timeout=60)


def connect() -> docker.DockerClient:
    """Give a client of the engine that must be running; raises InfraError otherwise."""
    client = engine_if_any()
    if client is None:
        engines.decide(engines.look())
        raise InfraError("No Docker engine runs here: `make up` or `make prepare` starts it.")
    return client


def keep_loopback_direct() -> None:
    """Keep what this process and its children ask of 127.0.0.1 away from any proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in os.environ.get(name, "").split(",") if host]
        os.environ[name] = ",".join([*hosts, *(host for host in _LOOPBACK if host not in hosts)])


def proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Give the proxy variables for builds; empty where there is no proxy. Lower case wins, as in curl."""
    found = {name: environment.get(name.lower()) or environment.get(name) or "" for name in _PROXIES}
    if not (found["HTTP_PROXY"] or found["HTTPS_PROXY"]):
        return {}
    return {name: value for name, value in found.items() if value}


def _base_image(layout: Layout, step: Step) -> str:
    try:
        return ensure_base(step.say)
    except GalewatchError:
        # It needed debootstrap, which only a machine that this project has not set up lacks.
        situation = engines.look()
        if shutil.which("debootstrap") or not (situation.is_root and situation.is_debian):
            raise
    step.say("installing debootstrap (apt)")
    engines.install_packages(("debootstrap",), layout.logs / "apt.log")
    return ensure_base(step.say)


def _running_weather(layout: Layout) -> Weather | None:
    """Give what the environment runs with, where it exists."""
    if not provider.holds_anything(layout.platform_state):
        return None
    try:
        written = json.loads(layout.generated_variables_file.read_text(encoding="utf-8"))
        return weather.Weather(written["weather_source"], written["replay_dir"])
    except (OSError, ValueError, KeyError):
        return None


def _write_variables(layout: Layout, base_image: str, source: Weather) -> None:
    variables = {
        "base_image": base_image,
        "build_proxy": proxies(os.environ),
        "docker_host": engines.engine_address(os.environ),
        "replay_dir": source.replay_dir,
        "weather_source": source.source,
    }
    file = layout.generated_variables_file
    text = json.dumps(variables, indent=2, sort_keys=True) + "\n"
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        new = file.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(file)
