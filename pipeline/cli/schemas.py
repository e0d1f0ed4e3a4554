"""The commands `schemas check`, `publish`, `apply`, `diff` and `verdict`: may this version follow those?"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import AsJson, Name  # noqa: TC001 - typer resolves annotations
from pipeline.cli.output import console, print_json, sentences, show
from pipeline.environment import Environment
from pipeline.errors import ConfigError
from pipeline.platform import load_platform
from pipeline.schemas import avro_schema
from pipeline.schemas.modes import mode_named

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app"]

app = typer.Typer(
    name="schemas", help="Judge the versions of schemas, and bring them to a registry.", no_args_is_help=True
)

Mode = Annotated[
    str, typer.Option("--mode", help="Compatibility mode of questions about a history that name none.")
]
Lints = Annotated[
    bool, typer.Option("--lint/--no-lint", help="Also object to what is read, but comes out wrong.")
]
Subject = Annotated[str, typer.Argument(help="Such as readings-value.")]
Version = Annotated[int | None, typer.Argument(min=1, help="Default: the newest two.")]

# Who registers; the client of all others may only look.
_ADMIN = "admin"
_COLUMNS = ("subject", "file", "path", "rule", "message")


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Judge every version of every subject in its mode; exit code 1 where something is wrong."""
    from pipeline.schemas.gate import Gate  # noqa: PLC0415 - with it comes Avro

    with sentences():
        gate = Gate(load_platform().schema_registry)
        problems = gate.problems()
    show(
        [problem._asdict() for problem in problems],
        _COLUMNS,
        as_json=as_json,
        nothing="Every version may follow those before it.",
    )
    if not as_json and (new := gate.new_files()):
        console().print(f"Not published yet: {', '.join(new)} (galewatch schemas publish)")
    if problems:
        raise typer.Exit(1)


@app.command()
def publish() -> None:
    """Record the new versions, if all is well: from then on their files are never edited."""
    from pipeline.schemas.gate import Gate  # noqa: PLC0415 - the same

    with sentences():
        new = Gate(load_platform().schema_registry).publish()
    console().print(f"Published: {', '.join(new)}" if new else "Nothing is new.")


@app.command()
def apply(*, as_json: AsJson = False, env: Name = None) -> None:
    """Register the versions and set the modes in a running environment, if all is well; as `make up` does."""
    from pipeline.registry import Registry  # noqa: PLC0415 - as the others
    from pipeline.schemas.applied import applied  # noqa: PLC0415
    from pipeline.schemas.gate import Gate  # noqa: PLC0415

    changes = 0
    with sentences():
        environment = Environment.from_env(env)
        with Registry(environment.registry(_ADMIN)) as registry:
            # Told one by one: what was done before an error stays done.
            for change in applied(Gate(environment.platform.schema_registry), registry):
                changes += 1
                if as_json:
                    print_json(change._asdict())
                else:
                    print(change.sentence)  # noqa: T201 - what the command says
    if not changes and not as_json:
        print("Nothing to change.")  # noqa: T201 - the same


@app.command()
def diff(subject: Subject, old: Version = None, new: Version = None, *, as_json: AsJson = False) -> None:
    """Show two versions of a subject side by side."""
    from pipeline.schemas.compared import side_by_side  # noqa: PLC0415 - as the others

    with sentences():
        names = _files(subject)
        last = len(names) if new is None else new
        first = max(last - 1, 1) if old is None else old
        for version in (first, last):
            if version > len(names):
                raise ConfigError(f"subject {subject!r} has no version {version}: it has {len(names)}")
        left, right = names[first - 1], names[last - 1]
        lines = list(side_by_side(avro_schema(left), avro_schema(right)))
    if not as_json:
        console().print(f"old: {left}, new: {right}")
    show([line._asdict() for line in lines], ("mark", "old", "new"), as_json=as_json, nothing="")


@app.command()
def verdict(*, mode: Mode = "BACKWARD_TRANSITIVE", lints: Lints = True) -> None:
    """Answer questions, one JSON object a line of the input, with one a line, in their order.

    A question is {"name", "reader", "writer"}, or {"name", "new", "history"} (oldest first, and "mode" if it
    is not the one given). An answer is {"name", "compatible", "reasons": [{"path", "rule", "message"}]}, or
    {"name", "error"}.
    """
    from pipeline.schemas.asked import answer  # noqa: PLC0415 - as the others

    with sentences():
        given = mode_named(mode)
    # Bytes in and ASCII out: no line, and no locale, ends the program.
    for line in sys.stdin.buffer:
        print(json.dumps(answer(line, given, lints=lints)))  # noqa: T201 - the answer


def _files(subject: str) -> Sequence[str]:
    subjects = load_platform().schema_registry.subjects
    if subject not in subjects:
        raise ConfigError(f"there is no subject {subject!r}: there are {', '.join(subjects)}")
    return subjects[subject]
