"""The conversation over /rt as golden traces: each line that clients rely on, once, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import WSMsgType

from signaling.live.limits import MESSAGES
from tests.support.live import LiveServer, Talker, live_server

MIB = 1 << 20
CAMERA = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f01"
SCREEN = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f02"


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(tmp_path) as server:
        yield server


def stream(stream_id: str = CAMERA, label: str = "camera") -> dict:
    return {"stream_id": stream_id, "label": label, "audio_mid": "0", "video_mid": "1"}


async def publish(talker: Talker, *streams: dict, seq: int = 1) -> dict:
    return await talker.ask("offer", pc="publish", seq=seq, sdp="an offer", streams=list(streams or [stream()]))


# coming in


async def test_two_people_meet_chat_and_part(live: LiveServer):
    room = await live.room(name="Ward 3")
    anna = await live.knock(token=room.token, name="Anna", id="anna")
    setup = await anna.receive()
    assert setup["type"] == "room_setup"
    assert setup["content"]["conference"]["id"] == room.id
    assert setup["content"]["conference"]["ready"] is True
    assert setup["content"]["participant"]["id"] == "anna"
    assert setup["content"]["options"] == {}

    joined = await anna.join()
    assert set(joined) == {
        *("type", "participant", "mode", "participants", "streams", "ice_servers", "options", "endpoint", "e2ee"),
        "max_bitrate",
    }
    assert set(joined["participant"]) == {"id", "name", "role", "guest", "joined_at"}
    assert (joined["participant"]["name"], joined["participant"]["role"]) == ("Anna", "publisher")
    assert joined["mode"] == "SFU"
    assert joined["e2ee"] is False
    assert set(joined["endpoint"]) == {"id", "token", "expires_at"}
    assert joined["endpoint"]["id"].startswith("EP-")

    bert, welcome = await live.enter(room, name="Bert", id="bert")
    assert {person["id"] for person in welcome["participants"]} == {"anna", "bert"}
    assert await anna.receive() == {
        "type": "participant_update",
        "participant": {
            "id": "bert",
            "room_id": room.id,
            "name": "Bert",
            "avatar": None,
            "guest": False,
            "online": True,
        },
    }

    await bert.send("chat", content="hello")
    for talker in (anna, bert):
        message = await talker.receive()
        assert (message["type"], message["content"], message["cid"]) == ("chat", "hello", "bert")
        assert message["created_at"].endswith("Z")

    await bert.send("leave")
    assert await bert.closed() == ([{"type": "terminated", "reason": "left"}], 1000)
    update = await anna.receive()
    assert (update["type"], update["participant"]["id"], update["participant"]["online"]) == (
        "participant_update",
        "bert",
        False,
    )


async def test_the_name_told_on_joining_counts(live: LiveServer):
    talker = await live.knock(token=(await live.room()).token, name="in the link")
    assert (await talker.join(name="typed"))["participant"]["name"] == "typed"


async def test_a_late_joiner_learns_what_has_happened(live: LiveServer):
    room = await live.room()
    anna, _ = await live.enter(room, id="anna")
    await publish(anna)
    await anna.ask("mute", stream_id=CAMERA, audio=True)
    await anna.ask("raise_hand", raised=True)
    await anna.ask("set_attributes", attributes={"seat": 4})
    bert, joined = await live.enter(room, id="bert")
    assert joined["streams"] == [
        {
            "stream_id": CAMERA,
            "user_id": "anna",
            "label": "camera",
            "audio": True,
            "video": True,
            "muted": {"audio": True, "video": False},
        }
    ]
    anna_there = next(person for person in joined["participants"] if person["id"] == "anna")
    assert (anna_there["raised"], anna_there["attributes"]) == (True, {"seat": 4})
    offer = await bert.until("offer")
    assert (offer["pc"], offer["seq"]) == ("subscribe", 1)
    assert [entry["stream_id"] for entry in offer["streams"]] == [CAMERA]
    assert set(offer["streams"][0]) == {"stream_id", "label", "user_id", "audio_mid", "video_mid"}


# refusals: one error, then the close


async def refusal(talker: Talker) -> tuple[dict, int | None]:
    said, code = await talker.closed()
    assert [message["type"] for message in said] == ["error"]
    return said[0], code


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param({}, 4401, id="no credential"),
        pytest.param({"token": ""}, 4401, id="empty credential"),
        pytest.param({"name": "Anna"}, 4401, id="only a name"),
        pytest.param({"token": "0" * 64}, 4403, id="unknown token"),
        pytest.param({"token": "x" * 4000}, 4403, id="huge token"),
        pytest.param({"access_key": "abc"}, 4403, id="a family without keys"),
        pytest.param({"token": "a", "access_key": "b"}, 4400, id="two credentials"),
        pytest.param({"token": "a", "id": "no spaces please"}, 4400, id="malformed id"),
        pytest.param({"token": "a", "name": "n" * 257}, 4400, id="endless name"),
    ],
)
async def test_a_bad_knock_gets_one_error_and_a_close(live: LiveServer, query: dict, code: int):
    error, closed = await refusal(await live.knock(**query))
    assert closed == code
    assert error["code"] == code - 4000


async def test_a_removed_room_is_not_found(live: LiveServer):
    room = await live.room()
    await live.rooms.delete("key", room.id)
    error, code = await refusal(await live.knock(token=room.token))
    assert (code, error["code"]) == (4404, 404)


async def test_an_id_that_is_online_is_refused(live: LiveServer):
    room = await live.room()
    await live.enter(room, id="anna")
    error, code = await refusal(await live.knock(token=room.token, id="anna"))
    assert (code, error["name"]) == (4409, "already_online")


async def test_of_two_who_join_as_one_at_the_same_time_one_gets_in(live: LiveServer):
    room = await live.room()
    talkers = [await live.knock(token=room.token, id="anna") for _ in range(2)]
    for talker in talkers:
        await talker.until("room_setup")
    for talker in talkers:
        await talker.send("join")
    said = [await talker.receive() for talker in talkers]
    assert sorted(message["type"] for message in said) == ["error", "joined"]
    assert len(live.conference(room).participants) == 1


async def test_a_full_room_is_refused_at_the_door_and_on_joining(tmp_path: Path):
    limits = {"max_participants": {"SFU": 1}}
    async with live_server(tmp_path, realtime=limits) as live:
        room = await live.room()
        early = await live.knock(token=room.token)
        await early.until("room_setup")
        await live.enter(room)
        error, code = await refusal(await live.knock(token=room.token))
        assert (code, error["name"]) == (4409, "room_full")
        await early.send("join")
        error, code = await refusal(early)
        assert (code, error["name"]) == (4409, "room_full")


@pytest.mark.parametrize("text", ["", "hello", "[]", "{}", '{"type": 1}', "[" * 100_000, '{"type": NaN}'])
async def test_a_first_message_that_is_none_is_malformed(live: LiveServer, text: str):
    talker = await live.knock(token=(await live.room()).token)
    await talker.until("room_setup")
    await talker.socket.send_str(text)
    error, code = await refusal(talker)
    assert (code, error["name"]) == (4400, "malformed")


async def test_a_later_message_that_is_none_is_an_error_only(live: LiveServer):
    talker, _ = await live.enter(await live.room())
    await talker.socket.send_str("hello")
    assert (await talker.until("error"))["name"] == "bad_message"
    assert (await talker.ask("ping"))["type"] == "pong"


async def test_binary_frames_are_malformed(live: LiveServer):
    talker, _ = await live.enter(await live.room())
    await talker.socket.send_bytes(b"{}")
    assert (await refusal(talker))[1] == 4400


@pytest.mark.parametrize("size", [256 * 1024 + 1, MIB])
async def test_a_message_over_256_kib_closes(live: LiveServer, size: int):
    talker, _ = await live.enter(await live.room())
    await talker.socket.send_str("x" * size)
    error, code = await refusal(talker)
    assert (code, error["name"]) == (4413, "message_too_long")


async def test_a_message_of_256_kib_is_read(live: LiveServer):
    talker, _ = await live.enter(await live.room())
    await talker.socket.send_str('{"type":"ping","pad":"' + "x" * (256 * 1024 - 24) + '"}')
    assert (await talker.receive())["type"] == "pong"


async def test_the_hundred_and_first_message_within_ten_seconds_closes(live: LiveServer):
    talker = await live.knock(token=(await live.room()).token)
    for _ in range(101):
        await talker.send("ping")
    said, code = await talker.closed()
    assert [message["type"] for message in said] == ["room_setup", *["pong"] * 100, "error"]
    assert (code, said[-1]["code"]) == (4429, 429)


@pytest.mark.parametrize("offered", [(), ("conf-v1-json",), ("my-api-key", "conf-v1-json"), ("unknown",)])
async def test_the_framing_is_json_whatever_else_is_offered(live: LiveServer, offered: tuple[str, ...]):
    talker = await live.knock(protocols=offered, token=(await live.room()).token)
    assert (await talker.receive())["type"] == "room_setup"
    assert talker.socket.protocol == ("conf-v1-json" if "conf-v1-json" in offered else None)


# what may be said when


@pytest.mark.parametrize("type", ["chat", "offer", "subscribe", "mute", "raise_hand", "renew_endpoint"])
async def test_before_the_join_only_ping_and_leave_are_allowed(live: LiveServer, type: str):
    talker = await live.knock(token=(await live.room()).token)
    error = await talker.ask(type, content="hello")
    assert (error["type"], error["code"], error["name"]) == ("error", 409, "not_joined")
    assert (await talker.ask("ping"))["type"] == "pong"
    await talker.send("leave")
    assert await talker.closed() == ([{"type": "terminated", "reason": "left"}], 1000)


async def test_joining_twice_and_unknown_messages_are_errors_that_leave_the_socket_open(live: LiveServer):
    talker, _ = await live.enter(await live.room())
    assert (await talker.ask("join"))["name"] == "already_joined"
    assert (await talker.ask("dance"))["name"] == "unknown_message"
    assert (await talker.ask("ping"))["type"] == "pong"


async def test_replies_repeat_the_request_id_and_ok_is_for_those_who_ask(live: LiveServer):
    talker, _ = await live.enter(await live.room())
    assert await talker.ask("raise_hand", raised=False) == {"type": "ok", "request_id": "ask"}
    await talker.send("raise_hand", raised=False)
    await talker.send("ping", request_id=7)
    assert await talker.receive() == {"type": "pong", "request_id": 7}


@pytest.mark.parametrize(
    ("message", "name"),
    [
        pytest.param({"type": "kick", "user_id": "x"}, "forbidden", id="kick is for moderators"),
        pytest.param({"type": "chat", "content": "x" * (32 * 1024 + 1)}, "message_too_long", id="long chat"),
        pytest.param({"type": "custom", "content": ["ä" * 17 * 1024]}, "message_too_long", id="long in bytes"),
        pytest.param({"type": "chat", "content": 1}, "bad_message", id="chat is text"),
        pytest.param({"type": "set_attributes", "attributes": {str(i): i for i in range(17)}}, "bad_message", id="17"),
        pytest.param({"type": "set_attributes", "attributes": {"a": "x" * 5000}}, "bad_message", id="4 KiB"),
        pytest.param({"type": "set_view", "view": "two_views"}, "bad_message", id="no view"),
        pytest.param({"type": "mute", "stream_id": CAMERA, "audio": True}, "no_such_stream", id="no stream"),
        pytest.param({"type": "mute", "stream_id": "x", "audio": True}, "bad_message", id="no uuid"),
        pytest.param({"type": "unpublish", "stream_id": CAMERA}, "no_such_stream", id="nothing published"),
        pytest.param({"type": "offer", "pc": "subscribe", "seq": 1, "sdp": ""}, "bad_message", id="wrong side"),
        pytest.param({"type": "offer", "pc": "publish", "seq": 1, "sdp": "bad"}, "bad_sdp", id="bad sdp"),
        pytest.param({"type": "offer", "pc": "publish", "seq": 1, "sdp": "x" * 65537}, "bad_sdp", id="huge sdp"),
        pytest.param({"type": "offer", "pc": "publish", "seq": 1, "sdp": "\ud800"}, "bad_sdp", id="half a character"),
        pytest.param({"type": "offer", "pc": "publish", "seq": True, "sdp": "x"}, "bad_message", id="no number"),
        pytest.param({"type": "candidate", "pc": "publish", "candidate": "x"}, "bad_message", id="no object"),
        pytest.param({"type": "subscribe", "default": {"priority": 256}}, "bad_message", id="priority"),
        pytest.param({"type": "renew_endpoint"}, "conflict", id="too early to renew"),
    ],
)
async def test_what_cannot_be_done_is_an_error_and_nothing_else(live: LiveServer, message: dict, name: str):
    talker, _ = await live.enter(await live.room())
    error = await talker.ask(**message)
    assert (error["type"], error["name"]) == ("error", name)
    assert (await talker.ask("ping"))["type"] == "pong"
    assert not talker.heard


# media


async def test_an_offer_is_answered_and_reaches_the_others_as_an_offer(live: LiveServer):
    room = await live.room()
    anna, _ = await live.enter(room, id="anna")
    bert, _ = await live.enter(room, id="bert")
    answer = await publish(anna, seq=5)
    assert (answer["type"], answer["pc"], answer["seq"], answer["sdp"]) == (
        *("answer", "publish", 5),
        "answer to an offer",
    )
    assert answer["streams"][0]["user_id"] == "anna"
    offer = await bert.until("offer")
    assert (offer["pc"], offer["seq"]) == ("subscribe", 1)
    await bert.ask("answer", pc="subscribe", seq=7, sdp="an answer to nothing")
    await bert.ask("answer", pc="subscribe", seq=1, sdp="my answer")
    assert live.conference(room).participant("bert").accepted == ["my answer"]
    await anna.ask("unpublish", stream_id=CAMERA)
    offer = await bert.until("offer")
    assert (offer["seq"], offer["streams"]) == (2, [])


async def test_a_bad_answer_is_an_error_and_a_good_one_may_follow(live: LiveServer):
    room = await live.room()
    anna, _ = await live.enter(room)
    await publish(anna)
    bert, joined = await live.enter(room)
    await bert.until("offer")
    assert (await bert.ask("answer", pc="subscribe", seq=1, sdp="bad"))["name"] == "bad_sdp"
    assert (await bert.ask("answer", pc="subscribe", seq=1, sdp="good"))["type"] == "ok"
    assert live.participant(room, joined).accepted == ["good"]


async def test_a_restart_is_offered_with_fresh_credentials_and_a_fresh_one_on_a_new_connection(live: LiveServer):
    room = await live.room()
    await publish((await live.enter(room))[0])
    bert, _ = await live.enter(room)
    await bert.until("offer")
    await bert.ask("answer", pc="subscribe", seq=1, sdp="answer")
    await bert.send("restart", pc="subscribe")
    offer = await bert.until("offer")
    assert (offer["seq"], offer["sdp"]) == (2, "offer 2 connection 1 restart")
    await bert.ask("answer", pc="subscribe", seq=2, sdp="answer")
    await bert.send("restart", pc="subscribe", fresh=True)
    offer = await bert.until("offer")
    assert (offer["seq"], offer["sdp"]) == (1, "offer 3 connection 2")


async def test_a_lost_subscribe_connection_is_offered_afresh(live: LiveServer):
    room = await live.room()
    await publish((await live.enter(room))[0])
    bert, joined = await live.enter(room)
    await bert.until("offer")
    await bert.ask("answer", pc="subscribe", seq=1, sdp="answer")
    live.participant(room, joined).loses("subscribe")
    offer = await bert.until("offer")
    assert (offer["seq"], offer["sdp"]) == (1, "offer 2 connection 2")


async def test_a_codec_that_cannot_be_decoded_is_told_with_the_stream(live: LiveServer):
    room = await live.room()
    anna, joined = await live.enter(room)
    live.participant(room, joined).cannot_decode(CAMERA, "AV1")
    error = await anna.until("error")
    assert (error["code"], error["name"], error["stream_id"]) == (415, "codec_unsupported", CAMERA)


async def test_candidates_and_wishes_reach_the_media_plane(live: LiveServer):
    room = await live.room()
    anna, joined = await live.enter(room)
    line = "candidate:1 1 udp 1 192.0.2.1 9 typ host"
    candidate = {"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0}
    assert (await anna.ask("candidate", pc="publish", candidate=candidate))["type"] == "ok"
    assert (await anna.ask("candidate", pc="subscribe", candidate=None))["type"] == "ok"
    streams = {SCREEN: {"video": False, "max_width": 320, "priority": 9}}
    assert (await anna.ask("subscribe", default={"max_height": 180}, streams=streams))["type"] == "ok"
    participant = live.participant(room, joined)
    assert participant.candidates == [("publish", line), ("subscribe", None)]
    default, wishes = participant.wishes[0]
    assert (default.audio, default.video, default.max_height) == (True, True, 180)
    assert (wishes[SCREEN].video, wishes[SCREEN].max_width, wishes[SCREEN].priority) == (False, 320, 9)


async def test_muting_is_told_to_everybody_and_others_may_not_do_it(live: LiveServer):
    room = await live.room()
    anna, _ = await live.enter(room, id="anna")
    bert, _ = await live.enter(room, id="bert")
    await publish(anna)
    assert (await bert.ask("mute", stream_id=CAMERA, audio=True))["name"] == "forbidden"
    await anna.send("mute", stream_id=CAMERA, audio=True)
    told = {"type": "mute_update", "user_id": "anna", "stream_id": CAMERA, "audio": True, "video": False}
    assert await anna.until("mute_update") == told
    assert await bert.until("mute_update") == told


async def test_hands_attributes_and_hush_are_told_to_everybody(live: LiveServer):
    room = await live.room()
    anna, _ = await live.enter(room, id="anna")
    bert, _ = await live.enter(room, id="bert")
    await anna.send("raise_hand", raised=True)
    await anna.send("set_attributes", attributes={"mood": "fine"})
    await anna.send("stfu")
    await anna.send("custom", content={"any": [1, None]})
    assert await bert.until("hand_update") == {"type": "hand_update", "user_id": "anna", "raised": True}
    update = await bert.until("attributes_update")
    assert (update["user_id"], update["attributes"]) == ("anna", {"mood": "fine"})
    assert (await bert.until("stfu"))["user"]["id"] == "anna"
    assert (await bert.until("custom"))["content"] == {"any": [1, None]}


# coming back


async def test_a_lost_socket_comes_back_within_the_grace_period_and_nobody_notices(live: LiveServer):
    room = await live.room()
    anna, first = await live.enter(room, id="anna")
    await publish(anna)
    bert, _ = await live.enter(room, id="bert")
    anna.vanish()
    again = await live.knock(token=first["endpoint"]["token"])
    await again.until("room_setup")
    second = await again.join()
    assert second["participant"] == first["participant"]
    assert second["endpoint"] == first["endpoint"]
    assert [stream["user_id"] for stream in second["streams"]] == ["anna"]
    await again.send("chat", content="still here")
    assert (await bert.until("chat"))["content"] == "still here"
    assert "participant_update" not in [message["type"] for message in bert.heard]


async def test_the_same_room_token_and_id_come_back_too_once_the_socket_is_lost(live: LiveServer):
    room = await live.room()
    anna, first = await live.enter(room, id="anna")
    await anna.socket.close()
    _, second = await live.enter(room, id="anna")
    assert second["participant"]["joined_at"] == first["participant"]["joined_at"]


async def test_who_comes_back_is_offered_again_on_the_connection_they_had(live: LiveServer):
    room = await live.room()
    await publish((await live.enter(room))[0])
    bert, joined = await live.enter(room, id="bert")
    await bert.until("offer")
    await bert.ask("answer", pc="subscribe", seq=1, sdp="answer")
    bert.vanish()
    again = await live.knock(token=joined["endpoint"]["token"])
    await again.join()
    offer = await again.until("offer")
    assert (offer["seq"], offer["sdp"]) == (2, "offer 2 connection 1")
    await again.send("answer", pc="subscribe", seq=2, sdp="bad")  # made on a connection of the client's own
    offer = await again.until("offer")
    assert (offer["seq"], offer["sdp"]) == (1, "offer 3 connection 2")


async def test_a_page_that_was_reloaded_is_offered_a_fresh_connection_at_once(live: LiveServer):
    room = await live.room()
    await publish((await live.enter(room))[0])
    bert, joined = await live.enter(room, id="bert")
    await bert.until("offer")
    await bert.socket.close(code=1001)
    again = await live.knock(token=joined["endpoint"]["token"])
    await again.join()
    offer = await again.until("offer")
    assert (offer["seq"], offer["sdp"]) == (1, "offer 2 connection 2")


async def test_nobody_comes_back_and_the_seat_is_free(tmp_path: Path):
    async with live_server(tmp_path, reconnect_grace_seconds=0.05) as live:
        room = await live.room()
        anna, _ = await live.enter(room, id="anna")
        bert, _ = await live.enter(room, id="bert")
        bert.vanish()
        update = await anna.until("participant_update")
        assert update["participant"]["online"] is True
        update = await anna.until("participant_update")
        assert (update["participant"]["id"], update["participant"]["online"]) == ("bert", False)


async def test_a_second_socket_of_an_endpoint_replaces_the_first(live: LiveServer):
    room = await live.room()
    anna, joined = await live.enter(room, id="anna")
    bert, _ = await live.enter(room, id="bert")
    newer = await live.knock(token=joined["endpoint"]["token"])
    said, code = await anna.closed()
    assert (said[-1], code) == ({"type": "terminated", "reason": "replaced"}, 1000)
    assert (await newer.join())["participant"] == joined["participant"]
    await newer.send("chat", content="it is me")
    assert (await bert.until("chat"))["cid"] == "anna"
    assert not bert.heard


async def test_sockets_with_the_room_token_are_participants_of_their_own(live: LiveServer):
    room = await live.room()
    _, first = await live.enter(room)
    _, second = await live.enter(room)
    assert first["participant"]["id"] != second["participant"]["id"]
    assert first["endpoint"]["token"] != second["endpoint"]["token"]


# the end


async def test_deleting_the_room_ends_it_for_those_inside_and_at_the_door(live: LiveServer):
    room = await live.room()
    inside, joined = await live.enter(room)
    outside = await live.knock(token=room.token)
    await outside.until("room_setup")
    await live.rooms.delete("key", room.id)
    for talker in (inside, outside):
        assert await talker.closed() == ([{"type": "terminated", "reason": "room_deleted"}], 1000)
    assert not live.media.conferences
    _, code = await refusal(await live.knock(token=joined["endpoint"]["token"]))
    assert code == 4404


async def test_a_shutdown_is_told_and_closes_with_going_away(live: LiveServer):
    talker, _ = await live.enter(await live.room())
    await live.conferences.aclose()
    assert await talker.closed() == ([{"type": "terminated", "reason": "server_shutdown"}], 1001)


async def test_an_endpoint_that_expires_is_disconnected(tmp_path: Path):
    async with live_server(tmp_path, realtime={"endpoint_ttl_seconds": 1}) as live:
        talker, _ = await live.enter(await live.room())
        said, code = await talker.closed()
        assert (said, code) == ([{"type": "terminated", "reason": "endpoint_expired"}], 1000)


# keeping alive


async def test_pings_are_answered(live: LiveServer):
    talker = await live.knock(token=(await live.room()).token)
    await talker.until("room_setup")
    await talker.socket.ping(b"are you there")
    talker.socket._autoping = False
    frame = await asyncio.wait_for(talker.socket.receive(), 5)
    assert (frame.type, frame.data) == (WSMsgType.PONG, b"are you there")


async def test_answers_that_were_asked_for_are_no_flood(live: LiveServer):
    room = await live.room()
    anna, _ = await live.enter(room, id="anna")
    bert, _ = await live.enter(room, id="bert")
    for number in range(1, 31):
        streams = [stream()] if number % 2 else []
        await anna.ask("offer", pc="publish", seq=number, sdp="an offer", streams=streams)
        offer = await bert.until("offer")
        await bert.ask("answer", pc="subscribe", seq=offer["seq"], sdp="my answer")
    for _ in range(MESSAGES - 1):  # a join and these are all that ten seconds allow
        assert (await bert.ask("ping"))["type"] == "pong"
