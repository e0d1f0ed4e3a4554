"""The Debian mirrors that this machine installs from, read from apt's own configuration.

Both forms are read, one-line lists and deb822 (sources.list(5)). Sources of other publishers, which may stand
before Debian's, are left out: they are signed with keys of their own.
"""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["date_settings", "deb822", "debian_entries", "mirror"]

APT = Path("/etc/apt")
# A Debian entry is signed by this keyring, which every Debian image has, or names none.
KEYRING = "debian-archive-keyring"
# Fields that belong to how a mirror is checked and so go with it.
KEPT_FIELDS = ("Check-Valid-Until", "Check-Date", "Trusted")
# A machine whose mirror is a snapshot of the past has to tell apt so; an image that uses the mirror as well.
DATE_SETTINGS = ("Acquire::Check-Valid-Until", "Acquire::Check-Date")

Entry = dict[str, str]


def debian_entries(release: str, apt: Path = APT) -> list[Entry]:
    """Return Debian's own sources for ``release`` (a code name) as deb822 fields, in the files' order."""
    found = []
    for entry in _entries(apt):
        suites = [suite for suite in entry.get("Suites", "").split() if suite.split("-")[0] == release]
        suites = [s for s in suites if s in {release, f"{release}-updates", f"{release}-security"}]
        uris = [uri for uri in entry.get("URIs", "").split() if uri.startswith(("http://", "https://"))]
        signer = entry.get("Signed-By", "")
        if (
            "deb" in entry.get("Types", "").split()
            and "main" in entry.get("Components", "").split()
            and entry.get("Enabled", "yes").lower() not in {"no", "false", "0"}
            and (not signer or KEYRING in signer)
            and suites
            and uris
        ):
            what = {"Types": "deb", "URIs": " ".join(uris), "Suites": " ".join(suites), "Components": "main"}
            found.append(what | {name: entry[name] for name in KEPT_FIELDS if name in entry})
    return found


def mirror(release: str, apt: Path = APT) -> str | None:
    """Return the address of the first mirror of ``release`` itself, for debootstrap; None without one."""
    for entry in debian_entries(release, apt):
        if release in entry["Suites"].split():
            return entry["URIs"].split()[0]
    return None


def deb822(entries: list[Entry]) -> str:
    """Write entries as a ``.sources`` file."""
    return "\n".join("".join(f"{name}: {value}\n" for name, value in entry.items()) for entry in entries)


def date_settings() -> str:
    """Return apt's settings about a mirror's age where this machine has them, as a file of apt.conf.d."""
    program = shutil.which("apt-config")
    if program is None:
        return ""
    done = subprocess.run([program, "dump", *DATE_SETTINGS], check=True, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.split(" ")[0] in DATE_SETTINGS]
    return "".join(f"{line}\n" for line in lines if '""' not in line)


def _entries(apt: Path) -> Iterator[Entry]:
    """Read every source, the main list first, then the folder's files by name, as apt does."""
    parts = apt / "sources.list.d"
    for path in (apt / "sources.list", *sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))):
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            yield from _deb822_entries(text) if path.suffix == ".sources" else _one_line_entries(text)


def _one_line_entries(text: str) -> Iterator[Entry]:
    """Read ``deb [option=value …] uri suite component …`` lines."""
    names: Mapping[str, str] = {
        "check-date": "Check-Date",
        "check-valid-until": "Check-Valid-Until",
        "signed-by": "Signed-By",
        "trusted": "Trusted",
    }
    for raw in text.splitlines():
        kind, _, rest = raw.partition("#")[0].strip().partition(" ")
        rest = rest.strip()
        if kind != "deb" or not rest:
            continue
        options = ""
        if rest.startswith("["):
            options, _, rest = rest[1:].partition("]")
        uri, *others = rest.split() or [""]
        if not others:
            continue
        entry = {"Types": "deb", "URIs": uri, "Suites": others[0], "Components": " ".join(others[1:])}
        for option in options.split():
            name, _, value = option.partition("=")
            if name.lower() in names:
                entry[names[name.lower()]] = value
        yield entry


def _deb822_entries(text: str) -> Iterator[Entry]:
    """Read paragraphs of ``Name: value`` with continuation lines; ``#`` starts a comment line."""
    entry: Entry = {}
    last = ""
    for line in [*(line for line in text.splitlines() if not line.startswith("#")), ""]:
        if not line.strip():
            if entry:
                yield entry
            entry, last = {}, ""
        elif line[0].isspace() and last:
            entry[last] += f"\n{line.strip()}"
        else:
            name, _, value = line.partition(":")
            # Field names are case-insensitive; URIs is the one that is not written in title case.
            last = {"uris": "URIs"}.get(name.strip().lower(), name.strip().title())
            entry[last] = value.strip()
