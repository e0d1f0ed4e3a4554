"""Reading the files under config/: strict, typed, and one clear error that names file, field and value."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

__all__ = ["CONFIG_DIR_VARIABLE", "Entry", "config_dir", "load_config", "read_yaml", "shown", "where"]

CONFIG_DIR_VARIABLE = "GALEWATCH_CONFIG_DIR"

_SHOWN_VALUE_LENGTH = 80


class Entry(BaseModel):
    """One mapping of a configuration file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def config_dir() -> Path:
    """Give the directory of the configuration: $GALEWATCH_CONFIG_DIR, else config/ beside the package."""
    named = os.environ.get(CONFIG_DIR_VARIABLE)
    directory = Path(named) if named else Path(__file__).resolve().parent.parent / "config"
    if not directory.is_dir():
        hint = "" if named else f" (set {CONFIG_DIR_VARIABLE} to the directory of platform.yaml)"
        raise ConfigError(f"{CONFIG_DIR_VARIABLE}: '{directory}' is not a directory{hint}")
    return directory


class _StrictLoader(yaml.SafeLoader):
    """YAML 1.1 without its silent trap: of two equal keys in a mapping, the last would win."""

    # The signature is the base's.
    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Read one YAML file; raises ConfigError when it is missing, unreadable or no YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is no valid YAML: {' '.join(str(error).split())}") from error


def load_config(path: Path, model: type[Model]) -> Model:
    """Read one YAML file as `model`; raises ConfigError for the first thing that is wrong."""
    data = read_yaml(path)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_sentence(error.errors()[0], data)}") from None


def where(location: Sequence[int | str], data: Any) -> str:
    """Name a place in `data` as people would: `stations[3] (id 'oslo').latitude`."""
    text = ""
    here = data
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f"{'.' if text else ''}{step}"
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            here = None
        if isinstance(step, int) and isinstance(here, dict) and isinstance(here.get("id"), str):
            text += f" (id '{here['id']}')"
    return text or "the file"


def _sentence(error: ErrorDetails, data: Any) -> str:
    place = where(error["loc"], data)
    if error["type"] == "missing":
        return f"{place}: is missing"
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key (its value is {shown(error['input'])})"
    message = error["msg"].removeprefix("Value error, ")
    return f"{place}: {message[0].lower()}{message[1:]}, got {shown(error['input'])}"


def shown(value: Any) -> str:
    """Show a value in an error message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN_VALUE_LENGTH else f"{text[: _SHOWN_VALUE_LENGTH - 1]}…"
