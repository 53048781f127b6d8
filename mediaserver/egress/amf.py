"""Values as RTMP's commands carry them (AMF0). Pure; what a server sends is bounded, and malformed is MalformedPacket.

Written are numbers, texts, truth values, None and objects; read is all of AMF0 that servers answer with.
"""

import struct
from collections.abc import Mapping
from typing import Any

from mediaserver.errors import MalformedPacket

NUMBER, BOOLEAN, TEXT, OBJECT, NULL, UNDEFINED, ARRAY, END, LIST, DATE, LONG_TEXT = 0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12
MAX_DEPTH = 8
MAX_VALUES = 1000  # of one message
_DOUBLE = struct.Struct(">d")


def write(*values: Any) -> bytes:
    return b"".join(_written(value) for value in values)


def array(values: Mapping[str, Any]) -> bytes:
    """An object that says how many members it has, as metadata is written."""
    return bytes([ARRAY]) + len(values).to_bytes(4) + _members(values)


def read(data: bytes) -> list[Any]:
    """The values of a message, objects and arrays as dictionaries."""
    reader, values = _Reader(data), []
    while reader.left:
        values.append(reader.value(0))
    return values


def _written(value: Any) -> bytes:
    match value:
        case None:
            return bytes([NULL])
        case bool():
            return bytes([BOOLEAN, value])
        case int() | float():
            return bytes([NUMBER]) + _DOUBLE.pack(value)
        case str():
            return bytes([TEXT]) + _name(value)
    return bytes([OBJECT]) + _members(value)


def _members(values: Mapping[str, Any]) -> bytes:
    inside = b"".join(_name(name) + _written(value) for name, value in values.items())
    return inside + b"\0\0" + bytes([END])


def _name(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2) + data


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._values = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def value(self, depth: int) -> Any:
        self._values += 1
        if depth > MAX_DEPTH or self._values > MAX_VALUES:
            raise MalformedPacket("too many values in each other")
        kind = self._take(1)[0]
        if kind in (OBJECT, ARRAY):
            self._take(4 if kind == ARRAY else 0)
            return self._object(depth)
        if kind == LIST:
            return [self.value(depth + 1) for _ in range(min(int.from_bytes(self._take(4)), MAX_VALUES))]
        return self._plain(kind)

    def _plain(self, kind: int) -> Any:
        if kind in (NULL, UNDEFINED):
            return None
        if kind in (NUMBER, DATE):
            return _DOUBLE.unpack(self._take(8 if kind == NUMBER else 10)[:8])[0]
        if kind == BOOLEAN:
            return self._take(1) != b"\0"
        if kind in (TEXT, LONG_TEXT):
            return self._text(2 if kind == TEXT else 4)
        raise MalformedPacket(f"values of kind {kind} are not read")

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._data[self._at : self._at + 3] != bytes([0, 0, END]):
            name = self._text(2)
            found[name] = self.value(depth + 1)
        self._at += 3
        return found

    def _text(self, length_bytes: int) -> str:
        return self._take(int.from_bytes(self._take(length_bytes))).decode(errors="replace")

    def _take(self, count: int) -> bytes:
        if self.left < count:
            raise MalformedPacket("a message without its end")
        self._at += count
        return self._data[self._at - count : self._at]
