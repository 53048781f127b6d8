"""STUN messages: the vectors of RFC 5769, both ways, and everything that is none."""

from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.errors import MalformedPacket
from mediaserver.transport import stun

VECTORS = Path(__file__).parents[2] / "vectors" / "stun" / "rfc5769.txt"
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes(range(12))
CONTROLLING = 0x0102030405060708


def _vectors() -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for block in VECTORS.read_text().split("\n", 1)[1].split("\n\n"):
        name, rest = block.split("\n", 1)
        found[name] = bytes.fromhex(rest)
    return found


def _check(**changes) -> bytes:
    given = {"priority": 1, "controlling": CONTROLLING, "use_candidate": True} | changes
    return stun.request(TRANSACTION, "ours:theirs", PASSWORD, **given)


def _message(body: bytes, kind: int = stun.REQUEST) -> bytes:
    return kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + bytes.fromhex("2112a442") + TRANSACTION + body


def test_reads_the_request_of_rfc_5769():
    message = stun.parse(_vectors()["request"])
    assert message.kind == stun.REQUEST
    assert message.username == "evtj:h6vY"
    assert message.priority == 0x6E0001FF
    assert message.controlled == 0x932FF9B151263B36
    assert message.fingerprinted
    assert stun.authentic(message, PASSWORD)
    assert not stun.authentic(message, PASSWORD + b"x")


@pytest.mark.parametrize(
    ("name", "mapped"),
    [
        ("response-ipv4", ("192.0.2.1", 32853)),
        ("response-ipv6", ("2001:db8:1234:5678:11:2233:4455:6677", 32853)),
    ],
)
def test_reads_the_responses_of_rfc_5769(name, mapped):
    message = stun.parse(_vectors()[name])
    assert (message.kind, message.mapped) == (stun.SUCCESS, mapped)
    assert stun.authentic(message, PASSWORD)


@pytest.mark.parametrize("source", [("192.0.2.1", 32853), ("2001:db8::1", 1), ("::1", 65535)])
def test_an_answer_tells_the_asker_its_address_and_is_sealed(source):
    answer = stun.parse(stun.success(stun.parse(_check()), source, PASSWORD))
    assert (answer.kind, answer.transaction) == (stun.SUCCESS, TRANSACTION)
    assert answer.mapped == source
    assert answer.fingerprinted
    assert stun.authentic(answer, PASSWORD)


def test_a_refusal_has_its_code_and_is_sealed():
    answer = stun.parse(stun.failure(stun.parse(_check()), stun.ROLE_CONFLICT, "Role Conflict", PASSWORD))
    assert (answer.kind, answer.error) == (stun.ERROR, 487)
    assert stun.authentic(answer, PASSWORD)


def test_a_check_reads_back_as_it_was_written():
    message = stun.parse(_check(priority=77))
    assert (message.username, message.priority, message.use_candidate) == ("ours:theirs", 77, True)
    assert (message.controlling, message.controlled) == (CONTROLLING, None)
    assert stun.authentic(message, PASSWORD)


def test_attributes_that_must_be_understood_are_named():
    body = bytes.fromhex("7ffe0000 7fff000101000000 ffff0000")
    assert stun.parse(_message(body)).unknown == (0x7FFE, 0x7FFF)
    assert len(stun.parse(_message(bytes.fromhex("7ffe0000") * 100)).unknown) == stun.MAX_UNKNOWN_ATTRIBUTES


def test_what_stands_behind_the_integrity_does_not_count():
    inner = stun.write(stun.REQUEST, TRANSACTION, [(0x0006, b"a:b")], PASSWORD)[20:-8]
    message = stun.parse(_message(inner + bytes.fromhex("00250000 7ffe0000")))
    assert not message.use_candidate
    assert message.unknown == ()


@pytest.mark.parametrize("at", [8, 20, 30, 60])
def test_a_changed_bit_breaks_the_integrity(at):
    data = bytearray(_check()[:-8])  # without the fingerprint, which would notice first
    data[2:4] = (len(data) - 20).to_bytes(2, "big")
    data[at] ^= 1
    try:
        message = stun.parse(bytes(data))
    except MalformedPacket:
        return
    assert not stun.authentic(message, PASSWORD)


def test_a_message_without_integrity_is_not_authentic():
    assert not stun.authentic(stun.parse(stun.write(stun.REQUEST, TRANSACTION, [], None)), PASSWORD)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0", id="one byte"),
        pytest.param(_check()[:19], id="shorter than a header"),
        pytest.param(_check()[:-4], id="cut"),
        pytest.param(_check() + bytes(4), id="too long for its length"),
        pytest.param(_check()[:4] + bytes(4) + _check()[8:], id="wrong cookie"),
        pytest.param(b"\x80" + _check()[1:], id="no STUN kind"),
        pytest.param(_check()[:-1] + b"\0", id="wrong fingerprint"),
        pytest.param(_message(bytes.fromhex("00060008 61")) + bytes(3), id="length beyond the end"),
        pytest.param(_message(bytes.fromhex("00060009 61626364")), id="attribute beyond the end"),
        pytest.param(_message(bytes.fromhex("00060001 ff000000")), id="name that is not UTF-8"),
        pytest.param(_message(bytes.fromhex("00240002 00010000")), id="short priority"),
        pytest.param(_message(bytes.fromhex("802a0004 00000001")), id="short tie-breaker"),
        pytest.param(_message(bytes.fromhex("00080004 00000001")), id="short integrity"),
        pytest.param(_message(bytes.fromhex("00200004 00010000")), id="short address"),
        pytest.param(_message(bytes.fromhex("00200008 0002000000000000")), id="address of the wrong family"),
        pytest.param(_message(bytes.fromhex("00090000")), id="error without code"),
        pytest.param(_message(bytes.fromhex("ffff0000") * 400), id="longer than any check"),
    ],
)
def test_refuses_what_is_not_a_message(data):
    with pytest.raises(MalformedPacket):
        stun.parse(data)


def test_refuses_attributes_behind_the_fingerprint():
    body = bytes.fromhex("80280004")
    head = _message(body + bytes(8))[:20]
    fingerprint = (crc32(head) ^ 0x5354554E).to_bytes(4, "big")
    with pytest.raises(MalformedPacket):
        stun.parse(head + body + fingerprint + bytes.fromhex("ffff0000"))


@given(st.binary(max_size=200) | st.binary(max_size=120).map(lambda rest: _message(rest + bytes(-len(rest) % 4))))
def test_random_bytes_are_a_message_or_malformed(data):
    try:
        message = stun.parse(data)
    except MalformedPacket:
        return
    assert not stun.authentic(message, PASSWORD)


@given(st.integers(0, len(_check()) - 1), st.integers(1, 255))
def test_a_damaged_check_is_never_taken_for_authentic(at, change):
    data = bytearray(_check())
    data[at] ^= change
    try:
        message = stun.parse(bytes(data))
    except MalformedPacket:
        return
    assert message.data != _check()
    assert not (message.fingerprinted and stun.authentic(message, PASSWORD))
