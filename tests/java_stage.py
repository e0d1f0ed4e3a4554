"""The stage of Spark's image that compiles and tests the Java, built from any copy of the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import docker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Built", "build", "images"]

_ASKED = "from tests.integration.images import image; print(image('builder'), image('jre'))"


class Built(NamedTuple):
    """What the engine said; `image` is None where a step failed, such as a red test."""

    image: str | None
    text: str


def images(root: Path) -> dict[str, str]:
    """Give the images that the stage stands on, as Terraform names them in that copy.

    Raises FileNotFoundError where they are not there.
    """
    # That copy's stand-in for Docker's provider: another one would be another provider to Terraform.
    environment = {**os.environ, "PYTHONPATH": f"{root}:{root}/infra/provider"}
    named = subprocess.run(
        [sys.executable, "-c", _ASKED], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if named.returncode != 0:
        last = named.stderr.strip().splitlines()[-1]
        raise FileNotFoundError(f"`make images` builds what the Java is built with: {last}")
    builder, jre = named.stdout.split()
    return {"BUILDER_IMAGE": builder, "JRE_IMAGE": jre}


def build(root: Path, on: Mapping[str, str]) -> Built:
    """Build the stage as the whole image is built; what is built already is taken from the engine's cache."""
    engine = docker.from_env(timeout=900)
    try:
        events = list(
            engine.api.build(
                path=str(root),
                dockerfile="infra/images/spark/Dockerfile",
                target="jvm",
                buildargs=dict(on),
                rm=True,
                forcerm=True,
                decode=True,
            )
        )
    finally:
        engine.close()
    text = "".join(event.get("stream", "") for event in events)
    made = [event["aux"]["ID"] for event in events if "aux" in event]
    failed = any("error" in event for event in events)
    return Built(None if failed else made[-1], text)
