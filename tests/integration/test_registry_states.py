"""The real registry walks through states beside a model of it: versions, modes, ids and verdicts.

The instance is its own, because the global mode is everybody's. Each example has subjects and schemas of its
own names, and wipes nothing. Where Apicurio is not as Confluent's documentation has it, the model is as
Apicurio is; docs/schemas.md names each difference.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipeline.platform import load_platform
from pipeline.schemas.modes import MODES
from pipeline.schemas.parsed import parsed
from tests import profiles
from tests.integration.registry_api import Answer, RegistryApi
from tests.integration.registry_model import Model, Subject, Version, alike, crossed, fits
from tests.schemas.operations import OPERATIONS
from tests.strategies import evolve, schemas

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.schemas.modes import Mode
    from tests.integration.containers import Registry

pytestmark = pytest.mark.engine

STEPS = 20
OK, NOT_FOUND, CONFLICT, UNPROCESSABLE = 200, 404, 409, 422

# A default of another type is refused, whatever the mode.
OPERATIONS_TAKEN = sorted(OPERATIONS.keys() - {"add a field with a default of another type"})

which = st.integers(0, 1)
modes = st.sampled_from(MODES)
numbers = st.integers(1, 6)


class RegistryMachine(RuleBasedStateMachine):
    """Two subjects, and schemas that came out of each other."""

    def __init__(self, api: RegistryApi, done: Counter[str]) -> None:
        super().__init__()
        self.api = api
        self.done = done
        self.own = f"t{uuid.uuid4().hex[:8]}"
        default = load_platform().schema_registry.compatibility
        self.model = Model(default, [Subject(f"{self.own}-{number}") for number in range(2)])
        self.pool: list[Any] = []

    @initialize(first=schemas())
    def begin(self, first: Any) -> None:
        """Begin with a schema in each subject, and the default mode."""
        self.done["examples"] += 1
        self.pool.append(first)
        assert OK == self.api.delete_mode().status
        for subject in self.model.subjects:
            self.try_to_register(subject, self.named(first))

    @invariant()
    def count(self) -> None:
        """Count the steps."""
        self.done["steps"] += 1

    def teardown(self) -> None:
        """See that all is as the model says, also what no step touched last."""
        for subject in self.model.subjects:
            self.see(subject)
        self.resolve()

    # Schemas

    @rule(number=which, data=st.data())
    def register(self, number: int, data: st.DataObject) -> None:
        """Register any schema."""
        self.try_to_register(self.model.subjects[number], self.drawn(data))

    @rule(number=which, mode=modes, data=st.data())
    def follow(self, number: int, mode: Mode, data: st.DataObject) -> None:
        """Let some versions follow each other in a mode."""
        subject = self.model.subjects[number]
        inner = data.draw(st.sampled_from(self.pool))
        versions = [inner]
        for _ in range(data.draw(st.integers(1, 3))):
            inner = data.draw(evolve(inner, *OPERATIONS_TAKEN)).new
            versions.append(inner)
        self.pool.append(inner)
        self.set_mode_of(subject, mode)
        for schema in versions:
            self.try_to_register(subject, self.named(schema))

    def try_to_register(self, subject: Subject, schema: Any) -> None:
        """The verdicts of the check, the registration and our engine are one; a refusal changes nothing."""
        text, mode, active = json.dumps(schema), self.model.mode(subject), subject.active
        expected = fits(mode, active, schema)
        throws = crossed(mode, active, schema)
        transitive = mode.endswith("_TRANSITIVE") and bool(active)
        checked = self.api.check(subject.name, text, "" if transitive else "latest")
        answer = self.api.register(subject.name, text)
        known = [version for version in active if version.text == text]
        like = [version for version in active if alike(version.schema, schema)]
        is_new = self.told_numbers(subject, deleted=True) != subject.numbers
        if known or (like and answer.status == OK and not is_new):
            event("registered again" if known else "taken for one that is alike")
            assert OK == answer.status, answer
            assert answer.body["id"] in {version.id for version in known or like}
        else:
            self.compare(checked, answer, expected=expected, throws=throws)
            if answer.status == OK:
                self.add(subject, schema, answer.body["id"])
        self.see(subject)

    @staticmethod
    def compare(checked: Answer, registered: Answer, *, expected: bool, throws: bool) -> None:
        """Compare the verdicts; Java's checker may throw where aliases cross."""
        event(f"registration: {registered.status}")
        if throws and registered.status == UNPROCESSABLE:
            return
        assert (OK if expected else CONFLICT) == registered.status, registered
        if not (throws and checked.status == UNPROCESSABLE):
            assert (OK, expected) == (checked.status, checked.body["is_compatible"]), checked

    def add(self, subject: Subject, schema: Any, schema_id: int) -> None:
        """The same text has the same id, another text another."""
        text = json.dumps(schema)
        if text in self.model.ids:
            assert self.model.ids[text] == schema_id
        else:
            assert schema_id not in self.model.ids.values()
        self.model.ids[text] = schema_id
        subject.add(schema, schema_id)

    @rule(number=which, version=numbers, data=st.data())
    def check(self, number: int, version: int, data: st.DataObject) -> None:
        """A check asks about the version that it names, deleted or not, or the latest, or each by itself."""
        subject, schema = self.model.subjects[number], self.drawn(data)
        found = subject.find(version)
        self.compare_check(subject, schema, str(version), [] if found is None else [[found]])
        self.compare_check(subject, schema, "latest", [subject.active[-1:]])
        self.compare_check(subject, schema, "", [[one] for one in subject.active])

    def compare_check(
        self, subject: Subject, schema: Any, against: str, histories: list[list[Version]]
    ) -> None:
        """Compare a check with our verdicts; without a history there is nothing to check against."""
        mode = self.model.mode(subject)
        answer = self.api.check(subject.name, json.dumps(schema), against)
        if not histories:
            assert NOT_FOUND == answer.status, answer
        elif answer.status == UNPROCESSABLE:
            assert any(crossed(mode, history, schema) for history in histories), answer
        else:
            assert OK == answer.status, answer
            assert all(fits(mode, history, schema) for history in histories) is answer.body["is_compatible"]

    @rule(number=which, data=st.data())
    def look_up(self, number: int, data: st.DataObject) -> None:
        """A schema is found by its text, unless it is deleted; perhaps by one that is alike."""
        subject, schema = self.model.subjects[number], self.drawn(data)
        answer = self.api.look_up(subject.name, json.dumps(schema))
        found = [version for version in subject.active if version.text == json.dumps(schema)]
        like = [version for version in subject.active if alike(version.schema, schema)]
        if found or answer.status == OK:
            assert OK == answer.status, answer
            assert (answer.body["version"], answer.body["id"]) in {
                (version.number, version.id) for version in found or like
            }
        else:
            assert NOT_FOUND == answer.status, answer

    @rule(number=which, version=numbers)
    def get_version(self, number: int, version: int) -> None:
        """A version is told by its number, and `latest` is the last that is not deleted."""
        subject = self.model.subjects[number]
        found, active = subject.find(version), subject.active
        plain = self.api.version(subject.name, version)
        assert self.is_told(plain, found if found in active else None)
        # Also those that are deleted, but only as long as one is not.
        with_deleted = self.api.version(subject.name, version, deleted=True)
        assert self.is_told(with_deleted, found if active else None)
        latest = self.api.version(subject.name, "latest")
        assert self.is_told(latest, active[-1] if active else None)

    @staticmethod
    def is_told(answer: Answer, version: Version | None) -> bool:
        """Tell whether this is the answer for a version, None for one that is not found."""
        if version is None:
            return answer.status == NOT_FOUND
        return (answer.status, answer.body["version"], answer.body["id"]) == (OK, version.number, version.id)

    @rule()
    def list_subjects(self) -> None:
        """A subject is listed while it has a version that is not deleted."""
        for deleted in (False, True):
            told = [name for name in self.api.subjects(deleted=deleted).body if name.startswith(self.own)]
            assert told == [
                subject.name
                for subject in self.model.subjects
                if (subject.is_there if deleted else subject.active)
            ]

    # Modes

    @rule(number=which, mode=modes)
    def set_mode(self, number: int, mode: Mode) -> None:
        """A subject's mode may be set before it has a version."""
        self.set_mode_of(self.model.subjects[number], mode)

    def set_mode_of(self, subject: Subject, mode: Mode) -> None:
        """Set it, and see it."""
        assert OK == self.api.set_mode(mode, subject.name).status
        subject.mode = mode
        self.see(subject)

    @rule(number=which)
    def delete_mode(self, number: int) -> None:
        """Only NONE stays."""
        subject = self.model.subjects[number]
        answer = self.api.delete_mode(subject.name)
        assert (NOT_FOUND if subject.mode is None else OK) == answer.status, answer
        if subject.mode != "NONE":
            subject.mode = None
        self.see(subject)

    @rule(mode=modes)
    def set_global_mode(self, mode: Mode) -> None:
        """What the subject's own mode does not say, the global one does, and else the registry's default."""
        assert OK == self.api.set_mode(mode).status
        self.model.global_mode = mode
        self.see_global_mode()

    @rule()
    def delete_global_mode(self) -> None:
        """Then the mode is again the one that the registry was started with."""
        assert OK == self.api.delete_mode().status
        self.model.global_mode = None
        self.see_global_mode()

    def see_global_mode(self) -> None:
        """Which mode holds is told where it is asked for with the global one."""
        told = self.api.mode().body["compatibilityLevel"]
        assert (self.model.global_mode or self.model.default) == told
        for subject in self.model.subjects:
            answer = self.api.mode(subject.name, or_global=True)
            if subject.mode is None and not subject.is_there:
                assert NOT_FOUND == answer.status
            else:
                assert self.model.mode(subject) == answer.body["compatibilityLevel"]

    # Deletions

    @precondition(lambda self: any(subject.versions for subject in self.model.subjects))
    @rule(number=which, version=numbers, permanent=st.booleans())
    def delete_version(self, number: int, version: int, permanent: bool) -> None:  # noqa: FBT001 - drawn
        """For good only after softly; its id is there as long as any version has it."""
        subject = self.model.subjects[number]
        found = subject.find(version)
        answer = self.api.delete(subject.name, version, permanent=permanent)
        if found is None:
            assert NOT_FOUND == answer.status, answer
        elif found.deleted is not permanent:
            assert CONFLICT == answer.status, answer
        else:
            assert (OK, version) == answer[:2]
            if permanent:
                subject.versions.remove(found)
            found.deleted = True
        self.see(subject)
        self.resolve()

    @precondition(lambda self: any(subject.versions for subject in self.model.subjects))
    @rule(number=which, permanent=st.booleans())
    def delete_subject(self, number: int, permanent: bool) -> None:  # noqa: FBT001 - drawn
        """For good only after softly; with it goes its mode."""
        subject = self.model.subjects[number]
        answer = self.api.delete(subject.name, permanent=permanent)
        if not subject.is_there or not (subject.active or permanent):
            assert NOT_FOUND == answer.status, answer
        elif subject.active and permanent:
            assert CONFLICT == answer.status, answer
        else:
            assert (OK, subject.numbers) == (answer.status, sorted(answer.body))
            for version in subject.versions:
                version.deleted = True
            if permanent:
                self.model.cached |= {version.id for version in subject.versions}
                subject.versions, subject.mode, subject.is_there = [], None, False
        self.see(subject)
        self.resolve()

    # What holds after each

    def told_numbers(self, subject: Subject, *, deleted: bool) -> list[int]:
        """Give the numbers of the versions that the registry tells."""
        answer = self.api.versions(subject.name, deleted=deleted)
        return [] if answer.status == NOT_FOUND else list(answer.body)

    def see(self, subject: Subject) -> None:
        """The registry's lists and mode of a subject are the model's."""
        assert subject.active_numbers == self.told_numbers(subject, deleted=False)
        assert subject.numbers == self.told_numbers(subject, deleted=True)
        answer = self.api.mode(subject.name)
        told = None if answer.status == NOT_FOUND else answer.body["compatibilityLevel"]
        assert self.model.told_mode(subject) == told

    def resolve(self) -> None:
        """Every id of a version resolves to its text; every other that was ever given does not, or, where its
        subject was deleted, perhaps.
        """  # noqa: D205 - one sentence
        for text, schema_id in self.model.ids.items():
            answer = self.api.by_id(schema_id)
            if self.model.is_alive(schema_id):
                assert (OK, text) == (answer.status, answer.text)
                told = self.api.client_text(schema_id).body["schema"]
                assert parsed(told).to_json() == parsed(text).to_json()
            elif schema_id not in self.model.cached or answer.status != OK:
                assert NOT_FOUND == answer.status, answer
            else:
                assert text == answer.text

    def drawn(self, data: st.DataObject) -> Any:
        """Draw a schema under the example's own name: one that was drawn, one made of that, or another."""
        how = data.draw(st.sampled_from(["again", "evolved", "evolved", "another"]))
        if how == "another":
            inner = data.draw(schemas())
        else:
            inner = data.draw(st.sampled_from(self.pool))
            if how == "evolved":
                inner = data.draw(evolve(inner, *OPERATIONS_TAKEN)).new
        if inner not in self.pool:
            self.pool.append(inner)
        return self.named(inner)

    def named(self, inner: Any) -> Any:
        """Put a schema under the example's own name."""
        return {"type": "record", "name": self.own, "fields": [{"name": "f", "type": inner}]}


def test_the_registry_holds_versions_modes_and_ids_as_the_model_and_judges_as_our_engine(
    own_registry: Registry, record_property: Callable[[str, object], None]
) -> None:
    done: Counter[str] = Counter()
    with RegistryApi(own_registry) as api:
        run_state_machine_as_test(
            lambda: RegistryMachine(api, done),  # type: ignore[arg-type]
            settings=settings(profiles.CONTAINER, stateful_step_count=STEPS),
        )
    record_property("proven_states", {"machine": "the Schema Registry", **done})


def record(*fields: str) -> str:
    """A schema of this call's own."""
    made = [{"name": name, "type": "string", "default": ""} for name in fields]
    return json.dumps({"type": "record", "name": f"R{uuid.uuid4().hex[:8]}", "fields": made})


def test_ids_are_what_they_were_after_a_restart_and_none_is_given_twice(own_registry: Registry) -> None:
    subjects = [f"t{uuid.uuid4().hex[:8]}" for _ in range(3)]
    texts = {subject: record("a") for subject in subjects}
    with RegistryApi(own_registry) as api:
        ids = {subject: api.register(subject, text).body["id"] for subject, text in texts.items()}
        gone = subjects.pop()
        assert [OK, OK] == [api.delete(gone, permanent=permanent).status for permanent in (False, True)]
    own_registry.container.restart(timeout=30)
    own_registry.wait_until_healthy()
    with RegistryApi(own_registry) as api:
        for subject in subjects:
            assert (OK, texts[subject]) == api.by_id(ids[subject])[::2]
            assert ids[subject] == api.register(subject, texts[subject]).body["id"]
        assert NOT_FOUND == api.by_id(ids[gone]).status
        assert api.register(gone, record("a", "b")).body["id"] not in ids.values()


def test_a_subject_that_is_said_to_be_read_only_is_written_all_the_same(own_registry: Registry) -> None:
    """Confluent would refuse it."""
    subject = f"t{uuid.uuid4().hex[:8]}"
    with RegistryApi(own_registry) as api:
        assert OK == api.register(subject, record("a")).status
        assert (OK, {"mode": "READONLY"}) == api.set_read_only(subject)[:2]
        assert CONFLICT == api.register(subject, '"int"').status
        api.set_mode("NONE", subject)
        assert OK == api.register(subject, '"int"').status
