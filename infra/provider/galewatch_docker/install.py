"""Installing the stand-in where Terraform finds it: a filesystem mirror of the official source address.

By hand: `python -m galewatch_docker.install MIRROR [--cli-config FILE] [--python PYTHON]`.
"""

import argparse
import os
import shlex
import sys
import tempfile
from pathlib import Path

from galewatch_docker import SOURCE, VERSION

__all__ = ["PLATFORM", "install", "write_cli_config"]

PLATFORM = "linux_amd64"
"""The one platform that the stand-in is installed for."""


def install(mirror: Path, python: Path | str = sys.executable) -> Path:
    """Write the provider's executable into a filesystem mirror; gives its path.

    It is a shell script that runs this package under `python`. Its content depends on the two paths only, so
    that installing again changes nothing, not even the checksum in a lock file.

    Args:
        mirror: the mirror's folder; made if missing.
        python: an interpreter that has the packages `tf` and `docker`.
    """
    package = Path(__file__).resolve().parent
    # Not resolved: a virtual environment's interpreter is a link, and its packages hang on the link's place.
    interpreter = Path(python).absolute()
    script = "\n".join(
        (
            "#!/bin/sh",
            "# The offline stand-in for kreuzwerker/docker; see infra/provider/README.md.",
            "# -P and a PYTHONPATH of its own: no file in Terraform's folder may stand in for a module.",
            f"PYTHONPATH={shlex.quote(str(package.parent))}",
            "export PYTHONPATH",
            f"exec {shlex.quote(str(interpreter))} -P -m {package.name}",
            "",
        ),
    )
    target = mirror / SOURCE / VERSION / PLATFORM / f"terraform-provider-docker_v{VERSION}"
    _write(target, script, 0o755)
    return target


def write_cli_config(file: Path, mirror: Path) -> None:
    """Write a Terraform CLI configuration that takes this provider from the mirror only.

    Args:
        file: what TF_CLI_CONFIG_FILE is to name.
        mirror: the folder that `install` wrote to.
    """
    _write(
        file,
        f"""# Written by galewatch_docker.install: {SOURCE} comes from the mirror, everything else as usual.
provider_installation {{
  filesystem_mirror {{
    path    = "{mirror.absolute()}"
    include = ["{SOURCE}"]
  }}
  direct {{
    exclude = ["{SOURCE}"]
  }}
}}
""",
        0o644,
    )


def _write(target: Path, content: str, mode: int) -> None:
    """Replace the file in one step; one that is right already is left alone."""
    if target.is_file() and target.read_text() == content and target.stat().st_mode & 0o777 == mode:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    Path(name).chmod(mode)
    Path(name).replace(target)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Install the offline stand-in for kreuzwerker/docker.")
    parser.add_argument("mirror", type=Path, help="the filesystem mirror's folder")
    parser.add_argument("--cli-config", type=Path, help="where to write Terraform's CLI configuration")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="the interpreter to use")
    arguments = parser.parse_args()
    install(arguments.mirror, arguments.python)
    if arguments.cli_config is not None:
        write_cli_config(arguments.cli_config, arguments.mirror)


if __name__ == "__main__":
    _main()
