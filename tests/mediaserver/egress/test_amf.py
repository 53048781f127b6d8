"""Values of RTMP's commands: what is written is read, and what a server sends is bounded."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.egress import amf
from mediaserver.errors import MalformedPacket

plain = st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=20))
values = st.recursive(
    plain, lambda inner: st.dictionaries(st.text(min_size=1, max_size=9), inner, max_size=4), max_leaves=9
)


@settings(max_examples=200, deadline=None)
@given(st.lists(values, max_size=4))
def test_what_is_written_is_read(written: list[Any]) -> None:
    assert amf.read(amf.write(*written)) == written


def test_arrays_dates_lists_and_long_texts_are_read() -> None:
    one = amf.write(1.0)
    assert amf.read(amf.array({"a": 1})) == [{"a": 1.0}]
    assert amf.read(bytes([amf.LIST, 0, 0, 0, 2]) + one + one) == [[1.0, 1.0]]
    assert amf.read(bytes([amf.DATE]) + one[1:] + bytes(2) + bytes([amf.UNDEFINED])) == [1.0, None]
    assert amf.read(bytes([amf.LONG_TEXT, 0, 0, 0, 2]) + b"ab") == ["ab"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x02\x00\x09short", id="a text without its end"),
        pytest.param(b"\x03\x00\x01a", id="an object without its end"),
        pytest.param(b"\x07", id="a reference"),
        pytest.param(b"\x03\x00\x01a" * 20, id="too deep"),
        pytest.param(b"\x05" * 2000, id="too many"),
        pytest.param(b"\x0a\xff\xff\xff\xff" + b"\x05" * 2000, id="too long a list"),
    ],
)
def test_what_is_out_of_bounds_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedPacket):
        amf.read(data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_values_or_malformed(data: bytes) -> None:
    with suppress(MalformedPacket):
        amf.read(data)
