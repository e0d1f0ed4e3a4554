"""Which images the integration tests run: those of this checkout's files, and nothing from anywhere else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import docker
from docker.errors import ImageNotFound

from pipeline.infra.layout import Layout
from tests.provisioning import terraform_environment

__all__ = ["MissingImageError", "image"]

_ASKING = threading.Lock()

# Of each the integration tests start containers, look into one, or build upon it.
SERVICES = ("builder", "cassandra", "jre", "kafka", "postgres", "schema-registry", "spark", "zookeeper")


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ERROR = re.compile(r"Error: .*")


class MissingImageError(Exception):
    """The engine has no image of a service; the message says how to make it."""


def image(service: str) -> str:
    """Give the tag of a service's image, such as ``galewatch/kafka:0123456789ab``.

    It is named by the files as they are now: an image that was built from other ones, by another checkout or
    before the last change, is never taken, however new. Nothing is ever pulled.

    Raises:
        MissingImageError: The engine does not have it, or Terraform was not prepared.
    """
    # Services are started side by side: one of them asks Terraform, and the others wait for the answer.
    with _ASKING:
        tag = _tags()[service]
    engine = docker.from_env()
    try:
        engine.images.get(tag)
    except ImageNotFound as error:
        raise MissingImageError(f"the engine has no image {tag}: `make images` builds it") from error
    finally:
        engine.close()
    return tag


@cache
def _tags() -> dict[str, str]:
    """Let Terraform name each image; the state, of which there is none here, has no part in it."""
    layout = Layout()
    wanted = ", ".join(f'"{name}" = module.image_{name.replace("-", "_")}.tag' for name in SERVICES)
    with TemporaryDirectory(prefix="galewatch-") as empty:
        done = subprocess.run(
            [
                os.environ.get("TERRAFORM", "terraform"),
                "console",
                f"-state={empty}/none",
                f"-var-file={layout.variables_file}",
            ],
            cwd=layout.platform_root,
            env=terraform_environment(),
            input=f"jsonencode({{{wanted}}})\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    if done.returncode != 0:
        told = _ERROR.search(_COLOUR.sub("", done.stderr))
        raise MissingImageError(
            "Terraform cannot name the images (`make images` prepares it): "
            + (told[0] if told else done.stderr)
        )
    tags: Any = json.loads(json.loads(done.stdout))
    return {str(name): str(tag) for name, tag in tags.items()}
