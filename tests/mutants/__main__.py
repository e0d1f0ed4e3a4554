"""Breaks the product in each of the ways in mutants.yaml, one at a time; a test has to see every one."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING

from pipeline.infra.layout import PROJECT_ROOT
from tests.mutants.catalogue import MutantError, load
from tests.mutants.runner import judge, table, write

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge mutants; the exit code is 1 where one survives, 2 where they cannot be judged."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only mutants whose name holds one of these texts")
    parser.add_argument("--no-engine", action="store_true", help="only those that need no container")
    chosen = parser.parse_args(arguments)
    # As Ctrl-C does: the copy goes away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        mutants = load(named=chosen.names, engine=not chosen.no_engine)
        seen = judge(PROJECT_ROOT, mutants, lambda line: print(line, flush=True))  # noqa: T201
    except (MutantError, FileNotFoundError) as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        print("interrupted; the copy is gone", file=sys.stderr)  # noqa: T201
        return 130
    print(table(seen).splitlines()[-1])  # noqa: T201
    if not chosen.names and not chosen.no_engine:
        write(seen, PROJECT_ROOT / ".galewatch" / "mutants.json")
    return int(not seen or any(one.test is None for one in seen))


if __name__ == "__main__":
    sys.exit(main())
