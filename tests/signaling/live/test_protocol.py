"""Reading, permitting and framing messages; fields, limits and queries: all without a socket."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.live import fields
from signaling.live.credentials import Knock, read_query
from signaling.live.framing import FRAMINGS, MAX_HELD, CableFraming, Channel, Decoded, JsonFraming, choose
from signaling.live.limits import MESSAGES, WINDOW, Flood, Silence
from signaling.live.messages import HANDLERS
from signaling.live.observer import read_api_key
from signaling.live.protocol import RULES, BadMessage, LiveError, Refusal, permit, read, request_id, write
from signaling.services.doors import Credential, Role

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
MODERATORS = {"kick", "upgrade", "record_start", "record_stop"}
FIELD_NAMES = ("x", "sdp", "streams", "attributes", "stream_id")


# messages


def test_every_message_with_a_rule_has_a_handler_and_the_other_way_round():
    assert set(RULES) == set(HANDLERS)


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "1", '"x"', "[]", "{}", '{"type":null}', '{"type":["x"]}', "{'type':'x'}", '{"type":"x"'),
        *(
            '{"type":"x","a":NaN}',
            '{"type":"x","a":-Infinity}',
            '{"type":"x","a":1e999}',
            '{"type":"x","a":' + "9" * 5000,
        ),
        "[" * 100_000,
    ],
)
def test_what_is_no_message_is_a_bad_message(text):
    with pytest.raises(BadMessage):
        read(text)


@given(st.text())
def test_no_text_makes_reading_fail_otherwise(text):
    with suppress(BadMessage):
        assert isinstance(read(text)["type"], str)


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_written_is_ascii_and_reads_back(fields_of_it):
    message = {**fields_of_it, "type": "chat"}
    written = write(message)
    assert written.isascii()
    assert read(written) == message


def test_half_a_surrogate_pair_survives_on_the_wire():
    assert json.loads(write({"type": "chat", "content": "\ud800"}))["content"] == "\ud800"


@pytest.mark.parametrize(
    ("given_id", "repeated"),
    [("r1", "r1"), (7, 7), (True, None), (None, None), ("x" * 129, None), (1 << 60, None), ([1], None), (1.5, None)],
)
def test_only_short_texts_and_whole_numbers_are_repeated(given_id, repeated):
    assert request_id({"type": "ping", "request_id": given_id}) == repeated


# who may say what, and when


@pytest.mark.parametrize("kind", sorted(set(RULES) - {"ping", "leave", "join"}))
def test_what_needs_a_join_is_refused_before_it(kind):
    with pytest.raises(LiveError) as refused:
        permit(kind, role=Role.MODERATOR, joined=False)
    assert (refused.value.code, refused.value.name) == (409, "not_joined")


@pytest.mark.parametrize(
    ("role", "forbidden"),
    [
        (Role.SUBSCRIBER, {"offer", "unpublish", "mute", "stfu", *MODERATORS}),
        (Role.PUBLISHER, MODERATORS),
        (Role.MODERATOR, set()),
    ],
)
def test_each_role_may_do_what_those_before_it_may_and_more(role, forbidden):
    refused = set()
    for kind in set(RULES) - {"join"}:
        try:
            permit(kind, role=role, joined=True)
        except LiveError as error:
            refused.add((kind, error.code, error.name))
    assert refused == {(kind, 403, "forbidden") for kind in forbidden}


# errors


def test_an_error_names_itself_and_what_it_answers():
    error = LiveError(415, "codec_unsupported", "no", stream_id="s")
    error.request_id = 3
    assert error.render() == {
        "type": "error",
        "code": 415,
        "name": "codec_unsupported",
        "message": "no",
        "stream_id": "s",
        "request_id": 3,
    }


def test_a_refusal_closes_with_its_code_above_four_thousand():
    assert Refusal(409, "room_full", "").close_code == 4409


# fields


@given(ANYTHING)
def test_whatever_a_field_holds_is_read_or_a_live_error(value):
    message = {"type": "x", **dict.fromkeys(FIELD_NAMES, value)}
    readers = (
        lambda: fields.text(message, "x", 10),
        lambda: fields.maybe_flag(message, "x"),
        lambda: fields.maybe_number(message, "x", 1),
        lambda: fields.one_of(message, "x", ("a", "b")),
        lambda: fields.stream_id(message),
        lambda: fields.objects(message, "streams"),
        lambda: fields.table(message, "streams"),
        lambda: fields.attributes(message),
        lambda: fields.session_description(message),
    )
    for reader in readers:
        with suppress(LiveError):
            reader()


@pytest.mark.parametrize(
    ("value", "fine"),
    [
        ("8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f01", True),
        ("8F3BD2F6-0F9B-4F2A-9D3C-5A3D5A1F6F01", True),
        ("8f3bd2f60f9b4f2a9d3c5a3d5a1f6f01", False),
        ("{8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f0}", False),
        ("camera", False),
    ],
)
def test_stream_ids_are_uuids_in_their_usual_spelling(value, fine):
    try:
        assert fields.stream_id({"type": "x", "stream_id": value}) == value
        assert fine
    except BadMessage:
        assert not fine


@pytest.mark.parametrize(("depth", "fine"), [(31, True), (32, False), (900, False)])
def test_what_is_passed_on_may_be_nested_so_deep_and_no_deeper(depth, fine):
    value: object = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    try:
        fields.check_depth("content", value)
        assert fine
    except BadMessage:
        assert not fine


def test_null_counts_as_not_given():
    message = {"type": "x", "a": None}
    assert fields.maybe_text(message, "a", 1) is None
    assert fields.maybe_flag(message, "a") is None
    assert fields.objects(message, "a") == []
    assert fields.table(message, "a") == {}


# limits


def test_a_hundred_messages_in_ten_seconds_are_allowed_and_no_more():
    flood = Flood()
    times = [i * 0.05 for i in range(MESSAGES)]
    assert all(flood.allows(now) for now in times)
    assert not flood.allows(9.999)
    assert flood.allows(WINDOW)
    assert not flood.allows(WINDOW + 0.049)
    assert flood.allows(WINDOW + 0.05)


@given(st.lists(st.floats(0, 1, allow_nan=False), max_size=600))
def test_no_window_ever_holds_more_than_the_limit(pauses):
    flood, now, allowed = Flood(limit=10), 0.0, []
    for pause in pauses:
        now += pause
        if flood.allows(now):
            allowed.append(now)
    assert all(b - a >= WINDOW for a, b in zip(allowed, allowed[10:], strict=False))


def test_two_missed_pings_are_one_too_many():
    silence = Silence()
    assert [silence.ping() for _ in range(3)] == [True, True, False]


def test_any_sound_counts_as_life():
    silence = Silence()
    for _ in range(10):
        assert silence.ping()
        silence.heard()


# queries


def test_a_token_with_a_name_and_an_id_is_a_knock():
    query = {"token": ["t"], "name": ["Ännä"], "id": ["a@b.c"], "lang": ["de"]}
    assert read_query(query) == Knock(Credential("token", "t"), "Ännä", "a@b.c")


@pytest.mark.parametrize(
    ("query", "credential"),
    [
        ({"token": ["t"]}, Credential("token", "t")),
        ({"access_key": ["k"]}, Credential("access_key", "k")),
        ({"room": ["lesson"]}, Credential("alias", "", alias="lesson")),
        ({"room": ["lesson"], "token": ["t"]}, Credential("alias", "t", alias="lesson")),
    ],
)
def test_each_kind_of_credential_is_told_by_where_it_stands(query, credential):
    assert read_query(query).credential == credential


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, 401),
        ({"token": [""]}, 401),
        ({"token": ["a", "b"]}, 400),
        ({"token": ["a"], "room_id": ["b"]}, 400),
        ({"token": ["a" * 4097]}, 403),
        ({"room_id": ["b"], "room": ["c"]}, 400),
        ({"access_key": ["a"], "room": ["b"]}, 400),
        ({"token": ["a"], "id": ["x" * 65]}, 400),
        ({"token": ["a"], "id": ["../.."]}, 400),
        ({"token": ["a"], "name": ["\ud800"]}, 400),
    ],
)
def test_other_queries_are_refused(query, code):
    with pytest.raises(Refusal) as refusal:
        read_query(query)
    assert refusal.value.code == code


# framing


@pytest.mark.parametrize("offered", [None, "conf-v1-json", "nothing we know"])
def test_json_is_the_framing_of_whoever_names_no_other(offered):
    assert choose(offered).name == "conf-v1-json"


def test_a_frame_is_one_message_on_either_channel():
    framing = JsonFraming()
    message = {"type": "chat", "content": "hi"}
    frames = {framing.encode(message, channel) for channel in Channel}
    assert [framing.decode(frame).messages for (frame,) in frames] == [(message,)]


ROOM = '{"channel":"RoomChannel"}'
USER = '{"channel":"UserChannel"}'


def command(name: str, identifier: str = ROOM, **rest: str) -> str:
    return json.dumps({"command": name, "identifier": identifier, **rest})


def frames(texts: tuple[str, ...]) -> list[dict]:
    return [json.loads(text) for text in texts]


def test_a_cable_greets_and_beats():
    cable = choose("actioncable-v1-json")
    assert frames(cable.greeting()) == [{"type": "welcome"}]
    assert cable.beat == 3.0
    assert json.loads(cable.heartbeat(1_772_440_500.9)) == {"type": "ping", "message": 1_772_440_500}


def test_a_cable_tells_a_channel_what_it_is_about_once_it_is_subscribed_to():
    cable = CableFraming()
    assert cable.encode({"type": "room_setup"}, Channel.ROOM) == ()
    assert cable.encode({"type": "offer"}, Channel.PERSONAL) == ()
    assert frames(cable.decode(command("subscribe")).replies) == [
        {"identifier": ROOM, "type": "confirm_subscription"},
        {"identifier": ROOM, "message": {"type": "room_setup"}},
    ]
    assert frames(cable.encode({"type": "chat"}, Channel.ROOM)) == [{"identifier": ROOM, "message": {"type": "chat"}}]
    assert frames(cable.decode(command("subscribe", USER)).replies)[1] == {
        "identifier": USER,
        "message": {"type": "offer"},
    }
    assert frames(cable.decode(command("subscribe")).replies) == [{"identifier": ROOM, "type": "confirm_subscription"}]


def test_a_cable_keeps_only_so_much_for_a_channel_nobody_wants():
    cable = CableFraming()
    for number in range(MAX_HELD + 5):
        cable.encode({"type": "chat", "content": number}, Channel.ROOM)
    _, first, *others = frames(cable.decode(command("subscribe")).replies)
    assert first["message"]["content"] == 5
    assert len(others) == MAX_HELD - 1


def test_a_cable_tells_nothing_more_after_unsubscribing():
    cable = CableFraming()
    cable.decode(command("subscribe"))
    assert cable.decode(command("unsubscribe")) == Decoded()
    assert cable.encode({"type": "chat"}, Channel.ROOM) == ()


@pytest.mark.parametrize("identifier", ['{"channel":"OtherChannel"}', "{}", "RoomChannel", "[]", '{"channel":7}'])
def test_a_cable_has_two_channels_only(identifier):
    replies = CableFraming().decode(command("subscribe", identifier)).replies
    assert frames(replies) == [{"identifier": identifier, "type": "reject_subscription"}]


def test_what_a_client_says_over_a_cable_is_in_its_data():
    cable = CableFraming()
    cable.decode(command("subscribe", USER))
    said = cable.decode(command("message", USER, data='{"type":"chat","content":"hi"}'))
    assert said.messages == ({"type": "chat", "content": "hi"},)


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "[" * 5000,
        "{}",
        '{"command":"subscribe"}',
        command("subscribe", "x" * 257),
        command("perform"),
        command("message", USER, data='{"type":"ping"}'),
        command("message", data="no json"),
        command("message"),
    ],
)
def test_a_cable_reads_commands_only(text):
    cable = CableFraming()
    cable.decode(command("subscribe"))
    with pytest.raises(BadMessage):
        cable.decode(text)


def test_a_cable_refuses_in_its_own_words():
    refusal = CableFraming().refusal(Refusal(403, "forbidden", "no"))
    assert frames(refusal) == [{"type": "disconnect", "reason": "unauthorized", "reconnect": False}]


@pytest.mark.parametrize(
    ("headers", "query", "key"),
    [
        ({"Authorization": "the key"}, {}, "the key"),
        ({"Authorization": "Bearer k"}, {}, "k"),
        ({"Sec-WebSocket-Protocol": "conf-v1-json, k"}, {}, "k"),
        ({"Sec-WebSocket-Protocol": "actioncable-v1-json,k"}, {"api_key": ["other"]}, "k"),
        ({}, {"api_key": ["k"]}, "k"),
    ],
)
def test_an_observer_says_its_key_in_one_of_three_places(headers, query, key):
    assert read_api_key(headers, query) == key


def test_an_observer_without_a_key_has_no_credential():
    with pytest.raises(Refusal) as refusal:
        read_api_key({"Sec-WebSocket-Protocol": "conf-v1-json"}, {"room_id": ["r"]})
    assert refusal.value.close_code == 4401


def test_every_framing_is_found_under_its_own_name():
    assert all(choose(name).name == name for name in FRAMINGS)
