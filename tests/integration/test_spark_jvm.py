"""The Java code of the Spark image: its own tests ran when the image was built, and how much they covered."""

from __future__ import annotations

import csv
import io
import tarfile
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import docker
import pytest

from tests.integration.images import image

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.engine

# Sessions, producers and what only Spark calls are covered by test_streaming, on the services themselves.
ON_SERVICES = {
    "AlertTables",
    "AlertWriter",
    "Alerts",
    "CassandraAccess",
    "ConnectorTable",
    "DeliveringWriter",
    "Heart",
    "Outlet",
    "QueryProgress",
    "ReadingTables",
    "ReadingWriter",
    "Readings",
    "Topic",
    "TopicIdentity",
}
LEAST_PERCENT = 90


@pytest.fixture(scope="module")
def reports() -> Iterator[dict[str, bytes]]:
    """What the build left in the image, by file name."""
    engine = docker.from_env()
    container = engine.containers.create(image("spark"))
    try:
        packed = b"".join(container.get_archive("/opt/galewatch/jvm")[0])
    finally:
        container.remove()
        engine.close()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        files = [(member, archive.extractfile(member)) for member in archive if member.isfile()]
        yield {member.name.rpartition("/")[2]: opened.read() for member, opened in files if opened}


def test_every_java_test_passed(reports: dict[str, bytes]) -> None:
    suites = [ET.fromstring(text) for name, text in reports.items() if name.endswith(".xml")]  # noqa: S314 - ours

    assert {"0"} == {suite.attrib[bad] for suite in suites for bad in ("failures", "errors", "skipped")}
    assert sum(int(suite.attrib["tests"]) for suite in suites) >= 50


def test_the_java_tests_cover_what_needs_no_service(
    reports: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = list(csv.DictReader(io.StringIO(reports["jacoco.csv"].decode())))

    def percent(*, services: bool) -> float:
        counted = [row for row in rows if services or row["CLASS"].partition(".")[0] not in ON_SERVICES]
        covered = sum(int(row["LINE_COVERED"]) for row in counted)
        return 100 * covered / (covered + sum(int(row["LINE_MISSED"]) for row in counted))

    with capsys.disabled():
        print(f"\nJava: {percent(services=True):.0f} % of all lines covered by unit tests,", end=" ")  # noqa: T201
        print(f"{percent(services=False):.0f} % of those that need no service")  # noqa: T201
    assert percent(services=False) >= LEAST_PERCENT
    assert ON_SERVICES <= {row["CLASS"] for row in rows}
