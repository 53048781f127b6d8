"""From a YAML or TOML file and the environment to `Settings`, or to one clear line per mistake.

`FOLKMOOT_` and the upper-case name of a setting, `__` between the levels, lists and objects as JSON; the environment
wins. Names that something else puts into the environment (test switches, service links of container platforms) are
passed over; any other unknown name is a mistake, like an unknown key of the file.
"""

import difflib
import json
import re
import tomllib
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from signaling.settings import Settings

PREFIX = "FOLKMOOT_"
_NOT_OURS = re.compile(r"FOLKMOOT_(TEST_|BENCH_|SERVICE_|PORT$|PORT_)")
_SECRET = re.compile(r"(key|secret|credential|password)(s|\.\d+|$)|database_url")
_SHOWN = 60  # characters of a wrong value

_TEXTS = {
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "path_type": "must be a path",
    "tuple_type": "must be a list",
    "model_type": "must be a section with settings in it",
    "missing": "is missing",
}


class BadSettings(Exception):
    """The configuration cannot be used; `mistakes` says why, a line each."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def load(file: Path | None, environment: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings in force: defaults, then the file, then the environment, then `overrides`."""
    given = read_file(file) if file is not None else {}
    mistakes: list[str] = []
    _merge(given, read_environment(environment, mistakes))
    _merge(given, dict(overrides or {}))
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        mistakes += [_line(detail) for detail in error.errors(include_url=False)]
    if mistakes:
        raise BadSettings(*mistakes)
    return settings


def read_file(file: Path) -> dict[str, Any]:
    """What the file says, not checked yet."""
    try:
        text = file.read_text(encoding="utf-8")
        values = tomllib.loads(text) if file.suffix.lower() == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise BadSettings(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadSettings(f"{file}: is not UTF-8 text") from None
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        raise BadSettings(f"{file}: {' '.join(str(error).split())}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise BadSettings(f"{file}: must hold settings by name")
    return values


def read_environment(environment: Mapping[str, str], mistakes: list[str]) -> dict[str, Any]:
    """The settings named by the environment, nested; adds to `mistakes` what cannot be read."""
    given: dict[str, Any] = {}
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or _NOT_OURS.match(variable):
            continue
        path = variable.removeprefix(PREFIX).lower().split("__")
        try:
            value = _value(path, text)
        except ValueError:
            mistakes.append(f'{variable}: must be JSON, such as ["a", "b"] or {{"a": 1}}')
            continue
        for name in reversed(path):
            value = {name: value}
        _merge(given, value)
    return given


def _value(path: Sequence[str], text: str) -> Any:
    """Lists and objects are JSON; what stands for one value is taken as it is."""
    if not _is_structured(_type_at(Settings, path)):
        return text
    return json.loads(text)


def _type_at(model: type[BaseModel], path: Sequence[str]) -> Any:
    field = model.model_fields.get(path[0])
    if field is None:
        return None
    if len(path) == 1:
        return field.annotation
    annotation = field.annotation
    inner = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return _type_at(annotation, path[1:]) if inner and isinstance(annotation, type) else None


def _is_structured(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, types.UnionType):
        return any(_is_structured(part) for part in get_args(annotation))
    origin = get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, tuple | list | dict | BaseModel)


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        known = into.get(name)
        if isinstance(known, dict) and isinstance(value, Mapping):
            _merge(known, value)
        else:
            into[name] = value


def _line(detail: ErrorDetails) -> str:
    """One mistake as `media.udp_port: must be between 0 and 65535 (got 70000)`."""
    path = ".".join(str(part) for part in detail["loc"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"{path}: is not a setting{_suggestion(path)}"
    if kind == "value_error":
        text = str(detail["ctx"]["error"])
    elif kind == "literal_error":
        text = f"must be {detail['ctx']['expected']}"
    else:
        text = _TEXTS.get(kind, detail["msg"])
    return f"{path or 'configuration'}: {text}{_got(path, kind, detail['input'])}"


def _got(path: str, kind: str, value: Any) -> str:
    if kind == "missing" or _SECRET.search(path) or isinstance(value, BaseModel | dict):
        return ""
    shown = value if isinstance(value, str) else repr(value)
    return f" (got {shown[:_SHOWN]})"


def _suggestion(path: str) -> str:
    near = difflib.get_close_matches(path, list(_names(Settings, "")), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


def _names(model: type[BaseModel], above: str) -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        names.append(above + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            names += _names(field.annotation, f"{above}{name}.")
    return names
