"""Which of a machine's package sources are Debian's own, in both of apt's formats."""

from pathlib import Path

import pytest

from pipeline.infra import apt_sources

MIRROR = "http://mirror.example/debian"
FOREIGN = "deb https://packages.example.com/apt bookworm main\n"


def write(apt: Path, name: str, text: str) -> None:
    path = apt / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_deb822_source_is_found_with_its_suites(tmp_path: Path) -> None:
    write(
        tmp_path,
        "sources.list.d/debian.sources",
        f"Types: deb deb-src\n# a comment\nURIs: {MIRROR}\n"
        "Suites: bookworm bookworm-updates bookworm-proposed-updates\n"
        "Components: main contrib\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n",
    )
    assert apt_sources.debian_entries("bookworm", tmp_path) == [
        {"Types": "deb", "URIs": MIRROR, "Suites": "bookworm bookworm-updates", "Components": "main"}
    ]


def test_a_one_line_source_is_found_with_its_options(tmp_path: Path) -> None:
    write(tmp_path, "sources.list", f"deb [arch=amd64 trusted=yes] {MIRROR} bookworm main # near\n")
    found = apt_sources.debian_entries("bookworm", tmp_path)
    assert found == [
        {"Types": "deb", "URIs": MIRROR, "Suites": "bookworm", "Components": "main", "Trusted": "yes"}
    ]


def test_the_mirror_is_debians_even_when_another_publishers_source_stands_first(tmp_path: Path) -> None:
    signed = FOREIGN.replace("deb ", "deb [signed-by=/usr/share/keyrings/example.gpg] ")
    write(tmp_path, "sources.list.d/a.list", signed)
    write(
        tmp_path,
        "sources.list.d/b.sources",
        "Types: deb\nURIs: https://other.example.com/linux/debian\nSuites: bookworm\nComponents: stable\n",
    )
    write(tmp_path, "sources.list.d/z.list", f"deb {MIRROR} bookworm main\n")
    assert apt_sources.mirror("bookworm", tmp_path) == MIRROR


def test_security_updates_alone_are_no_mirror_to_install_from(tmp_path: Path) -> None:
    write(tmp_path, "sources.list", f"deb {MIRROR}-security bookworm-security main\n")
    assert apt_sources.mirror("bookworm", tmp_path) is None
    assert apt_sources.debian_entries("bookworm", tmp_path)[0]["Suites"] == "bookworm-security"


@pytest.mark.parametrize(
    "line",
    [
        f"# deb {MIRROR} bookworm main",
        f"deb-src {MIRROR} bookworm main",
        f"deb {MIRROR} trixie main",
        f"deb {MIRROR} bookworm-backports main",
        f"deb {MIRROR} bookworm contrib",
        "deb cdrom:[Debian]/ bookworm main",
        "deb",
        f"deb {MIRROR}",
    ],
)
def test_what_offers_no_packages_of_the_release_is_left_out(tmp_path: Path, line: str) -> None:
    write(tmp_path, "sources.list", f"{line}\n")
    assert apt_sources.debian_entries("bookworm", tmp_path) == []


def test_a_disabled_source_is_left_out(tmp_path: Path) -> None:
    write(
        tmp_path,
        "sources.list.d/debian.sources",
        f"Enabled: no\nTypes: deb\nURIs: {MIRROR}\nSuites: bookworm\nComponents: main\n",
    )
    assert apt_sources.debian_entries("bookworm", tmp_path) == []


def test_what_is_written_reads_back_as_it_was(tmp_path: Path) -> None:
    write(
        tmp_path,
        "sources.list",
        f"deb [check-valid-until=no] {MIRROR} bookworm main\ndeb {MIRROR}-security bookworm-security main\n",
    )
    entries = apt_sources.debian_entries("bookworm", tmp_path)
    again = tmp_path / "again"
    write(again, "sources.list.d/debian.sources", apt_sources.deb822(entries))
    assert apt_sources.debian_entries("bookworm", again) == entries
    assert entries[0]["Check-Valid-Until"] == "no"
