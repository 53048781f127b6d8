"""Names with brackets to nested values: `user[name]=A` is `{"user": {"name": "A"}}`, `users[]` a list.

Pure. Forms are pairs of such names and texts, the keys of a JSON object may be such names, too: both come to the same.
What a name means, and whether its value will do, is for the models. Common contract, "Request bodies".
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from signaling.services.errors import BadBody, BadValue

MAX_NAMES = 1000  # in one body, at all depths
MAX_DEPTH = 8  # of values within each other

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]+\])*)(\[\])?")
_PART = re.compile(r"\[([^\[\]]+)\]")

Nested = dict[str, Any]


def nest(pairs: Iterable[tuple[str, Any]]) -> Nested:
    """What the pairs of a form come to; of a name that comes twice the last counts, unless it is a list's."""
    found: Nested = {}
    for number, (name, value) in enumerate(pairs):
        if number >= MAX_NAMES:
            raise BadBody(f"The body has more than {MAX_NAMES} parameters.")
        _put(found, name, value)
    return found


def unbracket(given: Mapping[str, Any]) -> Nested:
    """A JSON object with the brackets in its keys read; what is null is left out, as not given."""
    return _Reader().object(given, 1)


class _Reader:
    """Counts on the way through one body."""

    def __init__(self) -> None:
        self._names = 0

    def object(self, given: Mapping[str, Any], depth: int) -> Nested:
        found: Nested = {}
        for name, value in given.items():
            self._count(depth)
            if value is not None:
                _put(found, name, self._value(value, depth + 1))
        return found

    def _value(self, value: Any, depth: int) -> Any:
        match value:
            case dict():
                return self.object(value, depth)
            case list():
                self._count(depth)
                return [self._value(each, depth + 1) for each in value]
            case _:
                return value

    def _count(self, depth: int) -> None:
        self._names += 1
        if self._names > MAX_NAMES:
            raise BadBody(f"The body has more than {MAX_NAMES} parameters.")
        if depth > MAX_DEPTH:
            raise BadBody(f"The body is nested deeper than {MAX_DEPTH}.")


def _put(found: Nested, name: str, value: Any) -> None:
    """Puts the value where its name says; a name with brackets in the wrong places is just a name."""
    first, inner, is_list = _parts(name)
    path = [first, *inner]
    if len(path) > MAX_DEPTH:
        raise BadBody(f"The body is nested deeper than {MAX_DEPTH}.")
    for part in path[:-1]:
        found = found.setdefault(part, {})
        if not isinstance(found, dict):
            raise BadValue(first)
    last = path[-1]
    if is_list:
        _append(found, last, value, first)
    elif isinstance(value, dict) and last in found:
        _merge(found, last, value, first)
    elif isinstance(found.get(last), dict | list) and type(found[last]) is not type(value):
        raise BadValue(first)
    else:
        found[last] = value


def _parts(name: str) -> tuple[str, list[str], bool]:
    """The name before the brackets, those within, and whether it ends as a list's."""
    found = _NAME.fullmatch(name)
    if found is None:
        return name, [], False
    return found[1], _PART.findall(found[2]), found[3] is not None


def _append(found: Nested, name: str, value: Any, whose: str) -> None:
    held = found.setdefault(name, [])
    if not isinstance(held, list):
        raise BadValue(whose)
    held.extend(value if isinstance(value, list) else [value])


def _merge(found: Nested, name: str, value: Nested, whose: str) -> None:
    """What was put together from several names of JSON's may come in pieces."""
    held = found[name]
    if not isinstance(held, dict):
        raise BadValue(whose)
    for inner, each in value.items():
        if isinstance(each, dict) and inner in held:
            _merge(held, inner, each, whose)
        elif isinstance(held.get(inner), dict | list) and type(held[inner]) is not type(each):
            raise BadValue(whose)
        else:
            held[inner] = each
