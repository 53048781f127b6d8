import hashlib
import hmac
import json

import pytest

from signaling.webhooks import payloads
from signaling.webhooks.payloads import ROOM_SUBJECTS, request, room_event, signature, space_event

AT = 1_772_440_500.987


@pytest.mark.parametrize(("kind", "subject"), ROOM_SUBJECTS.items())
def test_an_event_of_a_room_says_when_what_and_about_what(kind: str, subject: str):
    body = room_event(kind, {"id": "a"}, AT)
    assert json.loads(body) == {"timestamp": 1_772_440_500, "type": kind, subject: {"id": "a"}}
    assert list(json.loads(body)) == ["timestamp", "type", subject]


def test_whatever_somebody_is_called_can_be_sent():
    body = room_event("room_update", {"name": "Zoë \ud800 \0"}, AT)
    assert json.loads(body.decode("ascii"))["room"] == {"name": "Zoë \ud800 \0"}


@pytest.mark.parametrize(
    ("more", "body"),
    [
        ({}, b'{"eventName":"call_started","roomId":"r","spaceId":"s"}'),
        (
            {"call_id": "c", "record_id": "d"},
            b'{"eventName":"call_started","roomId":"r","spaceId":"s","recordId":"d","callId":"c"}',
        ),
    ],
)
def test_an_event_of_a_space_has_its_keys_in_order_and_no_spaces(more: dict[str, str], body: bytes):
    assert space_event("call_started", room_id="r", space_id="s", **more) == body


def test_the_signature_is_the_hmac_of_the_bytes_with_the_key():
    """RFC 4231, test case 2."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signature(b"Jefe", b"what do ya want for nothing?") == expected


def test_a_team_finds_the_signature_in_two_headers():
    sent = request("rooms", b"the API key", b"{}", delivery_id="7", at=AT)
    signed = hmac.new(b"the API key", b"{}", hashlib.sha256).hexdigest()
    assert sent.body == b"{}"
    assert sent.headers == {
        "Content-Type": "application/json",
        "X-Webhook-Id": "7",
        "X-Webhook-Timestamp": "1772440500",
        "X-Webhook-Signature": signed,
        "X-Eyeson-Signature": signed,
    }


def test_sessions_have_one_header():
    headers = request("sessions", b"secret", b"{}", delivery_id="7", at=AT).headers
    assert headers["X-Webhook-Signature"] == signature(b"secret", b"{}")
    assert "X-Eyeson-Signature" not in headers


def test_a_space_finds_it_beside_the_signed_text():
    body = space_event("record_failed", room_id="r", space_id="s")
    sent = request("spaces", b"secret", body, delivery_id="7", at=AT)
    assert sent.body == b'{"signature":"%s","body":%s}' % (signature(b"secret", body).encode(), body)
    assert json.loads(sent.body)["body"]["eventName"] == "record_failed"
    assert sorted(sent.headers) == ["Content-Type", "X-Webhook-Id", "X-Webhook-Timestamp"]


def test_what_a_team_may_ask_for_is_what_the_contract_lists():
    things = ("room", "recording", "participant", "snapshot", "broadcast", "presentation", "document", "user", "team")
    assert tuple(f"{thing}_update" for thing in things) == payloads.ROOM_KINDS
