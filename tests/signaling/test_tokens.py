import base64
import random
import re
import uuid
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import tokens
from signaling.tokens import BadToken, Cursor

SECRET = b"s" * 32
PLACE = Cursor(1_772_440_500_123, uuid.UUID("1c0d5e7a-93b4-4f0e-8a61-5be2f7d3c902"))


@given(st.integers(-(2**63), 2**63 - 1), st.uuids())
def test_a_sealed_cursor_opens_to_what_it_was(created_ms: int, id: uuid.UUID):
    sealed = tokens.seal_cursor(SECRET, "owner", Cursor(created_ms, id))
    assert tokens.open_cursor(SECRET, "owner", sealed) == Cursor(created_ms, id)
    assert len(sealed) <= 128


@pytest.mark.parametrize(("secret", "owner"), [(SECRET, "another"), (b"x" * 32, "owner")])
def test_a_cursor_opens_for_its_owner_on_its_server_only(secret: bytes, owner: str):
    sealed = tokens.seal_cursor(SECRET, "owner", PLACE)
    with pytest.raises(BadToken):
        tokens.open_cursor(secret, owner, sealed)


@given(st.text(max_size=200))
def test_no_other_text_opens(text: str):
    with pytest.raises(BadToken):
        tokens.open_cursor(SECRET, "owner", text)


@pytest.mark.parametrize("change", [lambda s: s + "=", lambda s: s + "==", lambda s: " " + s, lambda s: s[:-1]])
def test_another_spelling_of_a_cursor_does_not_open(change):
    with pytest.raises(BadToken):
        tokens.open_cursor(SECRET, "owner", change(tokens.seal_cursor(SECRET, "owner", PLACE)))


def test_unused_bits_at_the_end_of_a_cursor_must_be_zero():
    sealed = tokens.seal_cursor(SECRET, "owner", PLACE)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = sealed[:-1] + alphabet[alphabet.index(sealed[-1]) + 1]
    assert base64.urlsafe_b64decode(twin + "==") == base64.urlsafe_b64decode(sealed + "==")
    with pytest.raises(BadToken):
        tokens.open_cursor(SECRET, "owner", twin)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param("Qm7tZ0bLw3XcR9kVdJ2sHfNa", True, id="key"),
        pytest.param("qm7tz0blw3xcr9kvdj2shfna", True, id="without capitals"),
        pytest.param("6b1f09d2c47e83aa5d10f2e4", False, id="id"),
        pytest.param("Qm7tZ0bLw3XcR9kVdJ2sHfN", False, id="too short"),
        pytest.param("Qm7tZ0bLw3XcR9kVdJ2sHfNab", False, id="too long"),
        pytest.param("Qm7tZ0bLw3XcR9kVdJ2sHf-a", False, id="other characters"),
        pytest.param("standup", False, id="name of somebody's"),
    ],
)
def test_a_key_is_told_from_an_id_by_its_looks(text: str, key: bool):
    assert tokens.looks_like_key(text) is key


def test_a_token_is_64_hex_digits():
    assert tokens.new_token(lambda size: bytes(range(size))) == bytes(range(32)).hex()


@pytest.mark.parametrize(
    ("sent", "found"), [("one", "one"), ("two", "two"), ("", None), ("on", None), ("\udcff", None), ("One", None)]
)
def test_a_key_is_found_whole_or_not_at_all(sent: str, found: str | None):
    assert tokens.find_key(("one", "two"), sent) == found


def test_turn_credentials_follow_the_shared_secret_scheme():
    username, password = tokens.turn_credential("north", "anna", 1_433_895_918.7)
    assert username == "1433895918:anna"
    # printf 1433895918:anna | openssl dgst -sha1 -hmac north -binary | base64
    assert password == "s4DzciylmrKf2GhMesJPonAUQ6w="


def test_a_key_is_24_letters_and_digits_and_favours_none():
    chance = random.Random(1)
    keys = [tokens.new_key(chance.randbytes) for _ in range(2000)]
    assert all(re.fullmatch(r"[A-Za-z0-9]{24}", key) for key in keys)
    counts = Counter("".join(keys))
    assert len(counts) == 62
    assert max(counts.values()) < 1.3 * min(counts.values())
    assert len(set(keys)) == len(keys)
