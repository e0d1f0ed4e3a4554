"""The commands `dlq list`, `dlq show` and `dlq redrive`: what Spark refused, why, and sending it again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.options import AsJson, Limit, Name, Since  # noqa: TC001 - typer resolves annotations
from pipeline.cli.output import console, print_json, sentences, show
from pipeline.environment import Environment
from pipeline.errors import ReadingError
from pipeline.readings import utc_text

if TYPE_CHECKING:
    from pipeline.topics.dead_letters import DeadLetter

__all__ = ["app"]

app = typer.Typer(name="dlq", help="Look at dead letters, and send them again.", no_args_is_help=True)

Reason = Annotated[str | None, typer.Option("--reason", help="Only letters whose reason contains this text.")]
Id = Annotated[str, typer.Argument(help="The letter's id, partition/offset, as `dlq list` shows it.")]
_USER = "reader"


@app.command("list")
def list_letters(
    reason: Reason = None,
    limit: Limit = 20,
    since: Since = None,
    *,
    as_json: AsJson = False,
    env: Name = None,
) -> None:
    """Show the newest dead letters; those of one message are one."""
    with sentences():
        found = _chosen(_letters(Environment.from_env(env)), reason, since)[:limit]
    columns = ("id", "dead_at", "reason", "schema_id", "appended_at", "key", "bytes", "times")
    show([_row(letter) for letter in found], columns, as_json=as_json, nothing="no dead letters")


@app.command("show")
def show_letter(letter_id: Id, *, as_json: AsJson = False, env: Name = None) -> None:
    """Show one dead letter: why, where from, its bytes, and the record if its schema is known."""
    from pipeline.topics.dead_letters import hexdump  # noqa: PLC0415 - with it comes Kafka's client
    from pipeline.topics.decoder import Decoder  # noqa: PLC0415

    with sentences():
        environment = Environment.from_env(env)
        letter = _one(_letters(environment), letter_id)
        with Decoder(environment.registry()) as decoder:
            try:
                record, undecoded = decoder.decode(letter.value), None
            except ReadingError as error:
                record, undecoded = None, str(error)
    if as_json:
        value = None if letter.value is None else letter.value.hex()
        print_json(
            {**_row(letter), "value": value, "record": record and _plain(record), "undecoded": undecoded}
        )
        return
    out = console()
    for name, told in _row(letter).items():
        text = utc_text(told) if isinstance(told, datetime) else "-" if told is None else str(told)
        out.print(f"{name:<12} {text}", markup=False)
    out.print()
    for line in hexdump(letter.value or b"") or ["(no value)"]:
        out.print(line, markup=False)
    out.print()
    for line in [f"{name:<14} {value}" for name, value in _plain(record or {}).items()]:
        out.print(line, markup=False)
    if undecoded:
        out.print(f"not decoded: {undecoded}", markup=False)


@app.command("redrive")
def redrive_letters(
    letter_ids: Annotated[list[str] | None, typer.Argument(help="Ids, as `dlq list` shows them.")] = None,
    reason: Reason = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    env: Name = None,
) -> None:
    """Send dead letters' messages to `readings` again, bytes and key as they came.

    Name letters, or a part of the reason for all that have it. Doing it twice gives no row twice.
    """
    from pipeline.topics.dead_letters import redrive  # noqa: PLC0415 - the same
    from pipeline.topics.producer import USER, DirectProducer  # noqa: PLC0415

    if bool(letter_ids) == bool(reason):
        raise typer.BadParameter("name one or several letters, or --reason")
    with sentences():
        environment = Environment.from_env(env)
        there = _letters(environment)
        chosen = [_one(there, name) for name in letter_ids or ()] or _chosen(there, reason, None)
        if not chosen:
            print("no dead letters")  # noqa: T201 - this is what the command says
            return
        if not yes:
            typer.confirm(f"Send {len(chosen)} messages to readings again?", abort=True)
        with DirectProducer(environment.kafka(USER)) as producer:
            counts = redrive(producer, chosen)
    equal = len(chosen) - counts.sent
    also = f" ({equal} were equal to others)" if equal else ""
    print(f"{counts.acknowledged} messages sent again{also}, {counts.failed} failed")  # noqa: T201 - the same
    if counts.failed:
        raise typer.Exit(1)


def _letters(environment: Environment) -> list[DeadLetter]:
    from pipeline.topics.dead_letters import TOPIC, collect  # noqa: PLC0415 - the same
    from pipeline.topics.reader import TopicReader  # noqa: PLC0415

    group = environment.platform.kafka.users[_USER].group_prefix or _USER
    with TopicReader(environment.kafka(_USER), TOPIC, group) as topic:
        offsets = topic.offsets()
        begin = {number: there.first for number, there in offsets.items()}
        return collect(topic.messages(begin, {number: there.end for number, there in offsets.items()}))


def _chosen(letters: list[DeadLetter], reason: str | None, since: datetime | None) -> list[DeadLetter]:
    return [
        letter
        for letter in letters
        if (reason is None or reason in letter.reason) and (since is None or letter.dead_at >= since)
    ]


def _one(letters: list[DeadLetter], name: str) -> DeadLetter:
    found = next((letter for letter in letters if letter.id == name), None)
    if found is None:
        raise typer.BadParameter(f"there is no dead letter {name!r}; `galewatch dlq list` shows them")
    return found


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "topic": letter.topic,
        "dead_at": letter.dead_at,
        "reason": letter.reason,
        "schema_id": letter.schema_id,
        "appended_at": letter.appended_at,
        "key": None if letter.key is None else letter.key.decode("utf-8", "backslashreplace"),
        "bytes": None if letter.value is None else len(letter.value),
        "times": letter.times,
    }


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """Give a record whose times are text; whatever else Avro can hold, JSON takes as text, too."""
    return {
        name: utc_text(value)
        if isinstance(value, datetime)
        else value
        if isinstance(value, str | int | float | None)
        else str(value)
        for name, value in record.items()
    }
