"""Terraform's plugin protocol (version 6), answered for the four resources.

Values are taken off the wire and put back as they are; `tf` gives the messages, the schema and the plumbing.
"""

import json
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import tf.provider
from tf.gen import tfplugin_pb2 as pb
from tf.types import Unknown
from tf.utils import Diagnostics, read_dynamic_value, to_dynamic_value

from galewatch_docker import notice
from galewatch_docker.engine import Engine
from galewatch_docker.errors import PartlyCreatedError, StandInError
from galewatch_docker.plan import has_stopped, plan_change, plan_creation
from galewatch_docker.tables import PROVIDER, RESOURCES
from galewatch_docker.validate import problems
from galewatch_docker.wire import read_config

if TYPE_CHECKING:
    from galewatch_docker.resources import Resources

__all__ = ["PRIVATE", "Servicer"]

PRIVATE = b"offline stand-in for kreuzwerker/docker, form 1"
"""Written beside each resource's state. It is not the JSON that the official provider expects there, so each
of the two refuses what the other has made."""

State = dict[str, Any]


class _Application:
    """What `tf` asks a provider for; the schema is all that is left to it here."""

    def get_model_prefix(self) -> str:
        return "docker_"

    def get_provider_schema(self, _: Diagnostics) -> Any:
        return PROVIDER.to_tf()

    def get_resources(self) -> list[Any]:
        return []

    def get_data_sources(self) -> list[Any]:
        return []

    def get_functions(self) -> list[Any]:
        return []


class Servicer(tf.provider.ProviderServicer):  # type: ignore[misc]  # tf carries no types
    """The provider, as Terraform calls it; each call may come on a thread of its own."""

    def __init__(self) -> None:
        super().__init__(_Application())
        self._engine = Engine()
        self._lock = threading.Lock()

    @cached_property
    def _unlocked_resources(self) -> "Resources":
        from galewatch_docker.resources import Resources  # noqa: PLC0415  # brings the engine's client, a slow import

        return Resources(self._engine)

    @property
    def _resources(self) -> "Resources":
        with self._lock:
            return self._unlocked_resources

    def GetProviderSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Give the schema of the provider block and of every resource."""
        answer = super().GetProviderSchema(request, context)
        for name, table in RESOURCES.items():
            answer.resource_schemas[name].CopyFrom(table.to_tf().to_pb())
        # Lets Terraform ask for the schema once a command instead of once an instance.
        answer.server_capabilities.get_provider_schema_optional = True
        return answer

    def GetMetadata(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """List the resources."""
        return pb.GetMetadata.Response(
            server_capabilities=pb.ServerCapabilities(get_provider_schema_optional=True),
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in RESOURCES],
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Refuse what the provider block may not say."""
        diagnostics = Diagnostics()
        _report(diagnostics, problems(PROVIDER, read_config(request.config)))
        return pb.ValidateProviderConfig.Response(diagnostics=diagnostics.to_pb())

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Refuse what a resource may not say, as far as its values are known."""
        diagnostics = Diagnostics()
        _report(diagnostics, problems(RESOURCES[request.type_name], read_config(request.config)))
        return pb.ValidateResourceConfig.Response(diagnostics=diagnostics.to_pb())

    def ConfigureProvider(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Connect to the engine, and say once a run what this is."""
        diagnostics = Diagnostics()
        config = read_config(request.config) or {}
        _report(diagnostics, problems(PROVIDER, config))
        host = config.get("host")
        with _reported(diagnostics):
            # A host that is not known yet can only occur while planning; reads come later.
            self._engine.address(None if host is Unknown else host)
            if host is not Unknown and not config.get("disable_docker_daemon_check"):
                _ = self._engine.api
        if notice.is_due():
            diagnostics.add_warning(notice.SUMMARY, notice.DETAIL)
        return pb.ConfigureProvider.Response(diagnostics=diagnostics.to_pb())

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Hand the state over as it is: there has been one form of it only."""
        diagnostics, table = Diagnostics(), RESOURCES[request.type_name]
        state = json.loads(request.raw_state.json)
        if request.version != table.version:
            diagnostics.add_error(
                f"The state of this {request.type_name} has form {request.version}, not {table.version}",
                "It was not written by the offline stand-in.",
            )
        return pb.UpgradeResourceState.Response(
            upgraded_state=to_dynamic_value(state),
            diagnostics=diagnostics.to_pb(),
        )

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Look at what exists now."""
        diagnostics = Diagnostics()
        state: State | None = read_dynamic_value(request.current_state)
        with _reported(diagnostics):
            _refuse_foreign(request.type_name, request.private)
            state = self._resources.read(request.type_name, state or {})
        return pb.ReadResource.Response(
            new_state=to_dynamic_value(state),
            private=request.private,
            diagnostics=diagnostics.to_pb(),
        )

    def PlanResourceChange(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Say what a change of configuration leads to."""
        diagnostics, table = Diagnostics(), RESOURCES[request.type_name]
        prior: State | None = read_dynamic_value(request.prior_state)
        proposed: State | None = read_dynamic_value(request.proposed_new_state)
        replacing: tuple[str, ...] = ()
        planned = proposed
        with _reported(diagnostics):
            if proposed is not None:
                _report(diagnostics, problems(table, read_config(request.config)))
            if prior is not None:
                _refuse_foreign(request.type_name, request.prior_private)
            if proposed is not None and prior is None:
                planned = plan_creation(table, proposed)
            elif proposed is not None and prior is not None:
                change = plan_change(table, prior, proposed)
                planned, replacing = change.state, change.replacing
                if request.type_name == "docker_container" and has_stopped(prior, proposed):
                    # Its id is the one value that a replacement changes for certain.
                    planned, replacing = planned | {"id": Unknown, "exit_code": Unknown}, (*replacing, "id")
        return pb.PlanResourceChange.Response(
            planned_state=to_dynamic_value(planned),
            requires_replace=[
                pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=name)]) for name in replacing
            ],
            planned_private=PRIVATE,
            diagnostics=diagnostics.to_pb(),
        )

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Make, change or remove."""
        diagnostics, kind = Diagnostics(), request.type_name
        prior: State | None = read_config(request.prior_state)
        planned: State | None = read_config(request.planned_state)
        state = prior
        with _reported(diagnostics):
            try:
                if prior is None and planned is not None:
                    state = self._resources.create(kind, planned, diagnostics)
                elif prior is not None and planned is None:
                    self._resources.delete(kind, prior)
                    state = None
                elif prior is not None and planned is not None:
                    change = plan_change(RESOURCES[kind], prior, planned)
                    state = self._resources.update(kind, planned, change.updating)
            except PartlyCreatedError as error:
                state = error.state
                raise
        return pb.ApplyResourceChange.Response(
            new_state=to_dynamic_value(state),
            private=PRIVATE,
            diagnostics=diagnostics.to_pb(),
        )

    def ImportResourceState(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Find what exists by name or id."""
        diagnostics, kind = Diagnostics(), request.type_name
        table, imported = RESOURCES[kind], []
        with _reported(diagnostics):
            empty: State = {field.name: None for field in table.fields}
            empty |= {block.name: None if block.nesting == "single" else [] for block in table.blocks}
            state = empty | self._resources.import_(kind, request.id)
            imported.append(
                pb.ImportResourceState.ImportedResource(
                    type_name=kind,
                    state=to_dynamic_value(state),
                    private=PRIVATE,
                ),
            )
        return pb.ImportResourceState.Response(imported_resources=imported, diagnostics=diagnostics.to_pb())

    def StopProvider(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """End every wait; what was made so far comes back as partly created."""
        self.interrupt()
        return pb.StopProvider.Response()

    def interrupt(self) -> None:
        """End every wait that is under way."""
        self._engine.stop()


def _refuse_foreign(kind: str, private: bytes) -> None:
    if private != PRIVATE:
        raise StandInError(
            f"The state of this {kind} was not written by the offline stand-in",
            "A state stays with the provider that made it: the official kreuzwerker/docker, or its offline "
            "stand-in. Destroy with the one that made it, then apply with the other.",
        )


def _report(diagnostics: Diagnostics, errors: Iterator[StandInError]) -> None:
    for error in errors:
        diagnostics.add_error(error.summary, error.detail, list(error.path) or None)


@contextmanager
def _reported(diagnostics: Diagnostics) -> Iterator[None]:
    """Turn what goes wrong inside into diagnostics."""
    try:
        yield
    except StandInError as error:
        _report(diagnostics, iter((error,)))
    except Exception as error:  # noqa: BLE001  # a defect has to reach the user as one, not as a broken connection
        frames = "".join(traceback.format_tb(error.__traceback__))
        diagnostics.add_error(f"Defect in the offline stand-in: {type(error).__name__}: {error}", frames)
