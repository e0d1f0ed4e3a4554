"""Reads what the project's files pin: Maven poms, requirements, Dockerfiles and Terraform's version block."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

__all__ = ["Pin", "debian", "maven", "requirements_copied_by", "terraform"]

POM = "{http://maven.apache.org/POM/4.0.0}"


@dataclass(frozen=True)
class Pin:
    """One thing in one version; ``kind`` is how it comes, such as a jar, ``source`` the file that says so."""

    kind: str
    name: str
    version: str
    source: str


def maven(pom: Path, root: Path) -> Iterator[Pin]:
    """Give the direct dependencies of a pom, its properties filled in; nothing where there is no pom."""
    if not pom.is_file():
        return
    project = ET.parse(pom).getroot()  # noqa: S314 - the project's own file
    properties = {
        element.tag.removeprefix(POM): element.text or ""
        for element in project.iterfind(f"{POM}properties/*")
    }
    for dependency in project.iterfind(f"{POM}dependencies/{POM}dependency"):
        name, version = (
            re.sub(
                r"\$\{([^}]+)\}",
                lambda match: properties[match.group(1)],
                dependency.findtext(f"{POM}{tag}", ""),
            )
            for tag in ("artifactId", "version")
        )
        yield Pin("jar", name, version, pom.relative_to(root).as_posix())


def requirements_copied_by(dockerfile: str, root: Path) -> Iterator[Pin]:
    """Give the packages that the requirements which a Dockerfile copies ask for, in their pinned versions."""
    copied = re.findall(r"^COPY (.+)$", dockerfile.replace("\\\n", " "), re.MULTILINE)
    for word in " ".join(copied).split():
        path = root / word
        if path.suffix != ".txt" or not path.is_file():
            continue
        pinned = dict(
            re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        )
        for name in sorted(_asked_for(path.stem, root) or pinned):
            yield Pin("Python", name, pinned[name], word)


def _asked_for(extra: str, root: Path) -> set[str]:
    """Give the names in an extra of pyproject.toml and in the extras that it includes; empty for no extra."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    if extra not in extras:
        return set()
    names = {_name(requirement) for requirement in project["dependencies"]}
    waiting = [extra]
    for current in waiting:
        for requirement in extras[current]:
            included = re.match(rf"{project['name']}\[(\w+)\]", requirement)
            if included:
                waiting.append(included.group(1))
            else:
                names.add(_name(requirement))
    return names - {project["name"]}


def _name(requirement: str) -> str:
    """Return the name of a requirement as it is written in a pinned file."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    if match is None:
        raise ValueError(f"pyproject.toml: {requirement!r} names no package")
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def debian(stage: str, source: Path) -> Iterator[Pin]:
    """Give the packages that a Dockerfile's stage installs with apt-get and does not take away again."""
    text = stage.replace("\\\n", " ")
    removed = " ".join(re.findall(r"dpkg --remove ([^;&|\n]+)", text)).split()
    # `$apt` is how the base image's Dockerfile calls it.
    for words in re.findall(r"(?:apt-get [^;&|\n]*?|\$apt )install ([^;&|\n]+)", text):
        for name in words.split():
            if not name.startswith("-") and name not in removed:
                yield Pin("Debian", name, "Debian 12", source.as_posix())


def terraform(root: Path) -> list[Pin]:
    """Give Terraform's and its provider's versions."""
    file = "infra/terraform/versions.tf"
    text = (root / file).read_text(encoding="utf-8")
    found = [
        Pin("provider", source, version, file)
        for source, version in re.findall(r'source\s*=\s*"([^"]+)"\s*version\s*=\s*"([^"]+)"', text)
    ]
    required = re.search(r'required_version\s*=\s*"([^"]+)"', text)
    if required:
        found.insert(0, Pin("program", "terraform", required.group(1), file))
    return found
