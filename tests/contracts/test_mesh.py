"""MESH over /rt as golden traces: what goes from one participant to another, and what everybody is told about it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signaling.live.fields import MAX_SDP
from signaling.live.held import MAX_MESSAGES
from signaling.live.limits import MESSAGES
from signaling.services.doors import Role
from signaling.services.mesh import CANDIDATES
from signaling.services.realtime_rooms import RealtimeRoom
from tests.support.live import LiveServer, Talker, live_server

CAMERA = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f01"
SCREEN = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f02"
OTHER = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f03"
NO_SDP = 'v=0\r\nthis is: nothing a parser\tlikes \u00fc \u2603 \\ " </script>\r\n'
LINE = "candidate:1 1 udp 1 192.0.2.1 9 typ host"


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveServer]:
    async with live_server(tmp_path) as server:
        yield server


@pytest.fixture
async def room(live: LiveServer) -> RealtimeRoom:
    return await live.room(conference_type="MESH")


async def enter(live: LiveServer, room: RealtimeRoom, *ids: str) -> list[Talker]:
    return [(await live.enter(room, id=id))[0] for id in ids]


def stream(stream_id: str = CAMERA, label: str = "camera", **fields: Any) -> dict[str, Any]:
    return {"stream_id": stream_id, "label": label, "audio_mid": "0", "video_mid": "1", **fields}


async def offer(talker: Talker, to: str, *streams: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await talker.ask("offer", to=to, **{"sdp": NO_SDP, "streams": list(streams), **fields})


async def streams_told(live: LiveServer, room: RealtimeRoom) -> list[dict[str, Any]]:
    """The streams that somebody learns of who comes now."""
    talker, joined = await live.enter(room)
    await talker.send("leave")
    await talker.closed()
    told: list[dict[str, Any]] = joined["streams"]
    return told


# passing on


async def test_two_people_connect_through_the_server_without_it(live: LiveServer, room: RealtimeRoom):
    anna, joined = await live.enter(room, id="anna")
    assert (joined["mode"], joined["e2ee"], joined["streams"]) == ("MESH", True, [])
    bert, welcome = await live.enter(room, id="bert")
    assert [person["id"] for person in welcome["participants"]] == ["anna", "bert"]
    assert (await anna.receive())["type"] == "participant_update"

    await bert.send("offer", to="anna", sdp=NO_SDP, streams=[stream()], request_id=1)
    assert await bert.receive() == {"type": "ok", "request_id": 1}
    described = [stream(user_id="bert")]
    assert await anna.receive() == {"type": "offer", "from": "bert", "sdp": NO_SDP, "streams": described}

    await anna.send("answer", to="bert", sdp=NO_SDP + "a", streams=[])
    assert await bert.receive() == {"type": "answer", "from": "anna", "sdp": NO_SDP + "a", "streams": []}

    candidate = {"candidate": LINE, "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "abcd"}
    await anna.send("candidate", to="bert", candidate=candidate)
    assert await bert.receive() == {"type": "candidate", "from": "anna", "candidate": candidate}
    await bert.send("candidate", to="anna", candidate=None)
    assert await anna.receive() == {"type": "candidate", "from": "bert", "candidate": None}

    await anna.send("close", to="bert")
    assert await bert.receive() == {"type": "close", "from": "anna"}
    assert not live.media.conferences


async def test_only_who_is_named_hears_of_it(live: LiveServer, room: RealtimeRoom):
    anna, bert, carl = await enter(live, room, "anna", "bert", "carl")
    await offer(carl, "anna")
    await carl.send("chat", content="done")
    await anna.until("chat")
    await bert.until("chat")
    assert "offer" in [message["type"] for message in anna.heard]
    assert "offer" not in [message["type"] for message in bert.heard]


async def test_who_only_listens_connects_as_well_but_sends_nothing(live: LiveServer, room: RealtimeRoom):
    [anna] = await enter(live, room, "anna")
    lena = await live.knock(token=room.token, id="lena")
    await lena.until("room_setup")
    meeting = live.conferences.meeting(room.id)
    assert meeting is not None
    [visitor] = meeting.visitors
    visitor.admitted = replace(visitor.admitted, role=Role.SUBSCRIBER)  # as credentials of other families make one
    await lena.join()
    assert (await lena.ask("offer", to="anna", sdp="listening", streams=[]))["type"] == "ok"
    assert (await anna.until("offer"))["sdp"] == "listening"
    for fields in ({"to": "anna", "streams": [stream()]}, {"pc": "publish", "seq": 1, "streams": []}):
        refused = await lena.ask("offer", sdp="talking", **fields)
        assert (refused["code"], refused["name"]) == (403, "forbidden")


async def test_nobody_can_speak_as_somebody_else(live: LiveServer, room: RealtimeRoom):
    anna, bert, _ = await enter(live, room, "anna", "bert", "carl")
    await offer(bert, "anna", stream(user_id="carl"), **{"from": "carl"})
    passed = await anna.until("offer")
    assert (passed["from"], passed["streams"][0]["user_id"]) == ("bert", "bert")


async def test_what_clients_add_for_each_other_goes_along(live: LiveServer, room: RealtimeRoom):
    anna, bert = await enter(live, room, "anna", "bert")
    await offer(bert, "anna", seq=3)
    assert (await anna.until("offer"))["seq"] == 3


@pytest.mark.parametrize(
    ("message", "code", "name"),
    [
        pytest.param({"type": "offer", "to": "carl", "sdp": "x"}, 404, "no_such_participant", id="offer to nobody"),
        pytest.param({"type": "answer", "to": "carl", "sdp": "x"}, 404, "no_such_participant", id="answer to nobody"),
        pytest.param({"type": "candidate", "to": "carl", "candidate": None}, 404, "no_such_participant", id="nobody"),
        pytest.param({"type": "close", "to": "carl"}, 404, "no_such_participant", id="close to nobody"),
        pytest.param({"type": "offer", "to": "anna", "sdp": "x"}, 404, "no_such_participant", id="to oneself"),
        pytest.param({"type": "close"}, 400, "bad_message", id="close to no one"),
        pytest.param({"type": "offer", "to": 7, "sdp": "x"}, 400, "bad_message", id="to a number"),
        pytest.param({"type": "offer", "to": "bert"}, 400, "bad_sdp", id="no description"),
        pytest.param({"type": "offer", "to": "bert", "sdp": "x" * (MAX_SDP + 1)}, 400, "bad_sdp", id="huge offer"),
        pytest.param({"type": "answer", "to": "bert", "sdp": "x" * (MAX_SDP + 1)}, 400, "bad_sdp", id="huge answer"),
        pytest.param({"type": "offer", "to": "bert", "sdp": "\ud800"}, 400, "bad_sdp", id="half a character"),
        pytest.param({"type": "candidate", "to": "bert", "candidate": "x"}, 400, "bad_message", id="no object"),
        pytest.param(
            {"type": "candidate", "to": "bert", "candidate": {"candidate": "x" * 4097}}, 400, "bad_message", id="long"
        ),
        pytest.param({"type": "close", "to": "bert", "why": "x" * 20_000}, 413, "message_too_long", id="long besides"),
        pytest.param({"type": "offer", "to": "bert", "sdp": "x", "streams": 1}, 400, "bad_message", id="no list"),
        pytest.param(
            {"type": "offer", "to": "bert", "sdp": "x", "streams": [stream(), stream(SCREEN)]},
            *(409, "stream_exists"),
            id="two cameras",
        ),
        pytest.param(
            {"type": "offer", "to": "bert", "sdp": "x", "streams": [stream(), stream()]}, 400, "bad_sdp", id="twice"
        ),
        pytest.param(
            {"type": "offer", "to": "bert", "sdp": "x", "streams": [stream(OTHER)]},
            400,
            "bad_sdp",
            id="somebody else's",
        ),
        pytest.param({"type": "unpublish", "stream_id": CAMERA}, 404, "no_such_stream", id="nothing published"),
        pytest.param({"type": "mute", "stream_id": OTHER, "audio": True}, 403, "forbidden", id="muting others"),
        pytest.param({"type": "offer", "pc": "publish", "seq": 1, "sdp": "x"}, 409, "not_in_mesh", id="publishing"),
        pytest.param({"type": "answer", "pc": "subscribe", "seq": 1, "sdp": "x"}, 409, "not_in_mesh", id="answer"),
        pytest.param({"type": "candidate", "pc": "publish", "candidate": None}, 409, "not_in_mesh", id="candidate"),
        pytest.param({"type": "restart", "pc": "subscribe"}, 409, "not_in_mesh", id="restart"),
        pytest.param({"type": "subscribe", "default": {}}, 409, "not_in_mesh", id="wishes"),
        pytest.param({"type": "set_view", "view": "one_view"}, 409, "not_in_mesh", id="one view"),
    ],
)
async def test_what_cannot_be_done_in_a_mesh_is_an_error_and_reaches_nobody(
    live: LiveServer, room: RealtimeRoom, message: dict[str, Any], code: int, name: str
):
    anna, bert = await enter(live, room, "anna", "bert")
    await offer(bert, "anna", stream(OTHER))
    error = await anna.ask(**message)
    assert (error["type"], error["code"], error["name"]) == ("error", code, name)
    assert (await anna.ask("ping"))["type"] == "pong"
    assert (await bert.ask("ping"))["type"] == "pong"
    assert not [heard for heard in bert.heard if "from" in heard]


async def test_a_common_picture_is_refused_on_joining_and_another_wish_may_follow(live: LiveServer, room: RealtimeRoom):
    talker = await live.knock(token=room.token)
    assert (await talker.ask("join", view="one_view"))["name"] == "not_in_mesh"
    assert (await talker.join(view="streams"))["mode"] == "MESH"


async def test_the_longest_description_is_passed_on(live: LiveServer, room: RealtimeRoom):
    anna, bert = await enter(live, room, "anna", "bert")
    await offer(bert, "anna", sdp="\u00fc" * (MAX_SDP // 2))
    assert (await anna.until("offer"))["sdp"] == "\u00fc" * (MAX_SDP // 2)


async def test_answers_and_candidates_that_belong_to_a_description_are_no_flood(live: LiveServer, room: RealtimeRoom):
    anna, bert = await enter(live, room, "anna", "bert")
    for _ in range(3):
        await offer(anna, "bert")
        await bert.ask("answer", to="anna", sdp="x")
        for _ in range(CANDIDATES):
            await bert.send("candidate", to="anna", candidate=None)
    for _ in range(MESSAGES - 1):  # a join and these are all that ten seconds allow
        assert (await bert.ask("ping"))["type"] == "pong"
    await bert.send("answer", to="anna", sdp="to nothing that was asked")
    assert (await bert.closed())[1] == 4429


# who sends what


async def test_a_late_joiner_is_told_who_sends_what(live: LiveServer, room: RealtimeRoom):
    anna, bert = await enter(live, room, "anna", "bert")
    await offer(bert, "anna", stream(), stream(SCREEN, "screen", audio_mid=None))
    await anna.ask("answer", to="bert", sdp="x", streams=[stream(OTHER)])
    camera = {"user_id": "bert", "label": "camera", "audio": True, "video": True}
    unmuted = {"audio": False, "video": False}
    assert await streams_told(live, room) == [
        {**camera, "stream_id": CAMERA, "muted": unmuted},
        {**camera, "stream_id": SCREEN, "label": "screen", "audio": False, "muted": unmuted},
        {**camera, "stream_id": OTHER, "user_id": "anna", "muted": unmuted},
    ]


async def test_a_stream_ends_with_the_descriptions_or_at_once_by_unpublish(live: LiveServer, room: RealtimeRoom):
    _, bert, _ = await enter(live, room, "anna", "bert", "carl")
    for other in ("anna", "carl"):
        await offer(bert, other, stream(), stream(SCREEN, "screen"))
    await offer(bert, "anna", stream())
    assert len(await streams_told(live, room)) == 2  # it still goes to carl
    await offer(bert, "carl", stream())
    assert [told["stream_id"] for told in await streams_told(live, room)] == [CAMERA]
    assert (await bert.ask("unpublish", stream_id=CAMERA))["type"] == "ok"
    assert await streams_told(live, room) == []


async def test_another_camera_takes_the_place_of_the_first(live: LiveServer, room: RealtimeRoom):
    _, bert, _ = await enter(live, room, "anna", "bert", "carl")
    for other in ("anna", "carl"):
        await offer(bert, other, stream())
    assert (await offer(bert, "anna", stream(OTHER, replace=CAMERA)))["type"] == "ok"
    assert [told["stream_id"] for told in await streams_told(live, room)] == [OTHER]


async def test_the_streams_of_who_leaves_are_gone_and_those_of_who_is_left_alone_are_not(
    live: LiveServer, room: RealtimeRoom
):
    anna, bert = await enter(live, room, "anna", "bert")
    await offer(bert, "anna", stream())
    await anna.ask("answer", to="bert", sdp="x", streams=[stream(OTHER)])
    await bert.send("leave")
    assert (await anna.until("participant_update"))["participant"]["online"] is False
    assert [told["stream_id"] for told in await streams_told(live, room)] == [OTHER]


# muting


async def test_muting_is_told_to_everybody_and_to_who_comes_later(live: LiveServer, room: RealtimeRoom):
    anna, bert = await enter(live, room, "anna", "bert")
    await offer(bert, "anna", stream())
    await bert.ask("mute", stream_id=CAMERA, audio=True)
    told = {"type": "mute_update", "user_id": "bert", "stream_id": CAMERA, "audio": True, "video": False}
    assert await anna.until("mute_update") == told
    assert told in bert.heard
    assert (await streams_told(live, room))[0]["muted"] == {"audio": True, "video": False}
    await bert.ask("mute", stream_id=CAMERA, audio=True)
    await bert.ask("mute", stream_id=CAMERA, audio=False, video=True)
    assert await anna.until("mute_update") == {**told, "audio": False, "video": True}


async def test_who_mutes_while_alone_is_muted_when_others_come(live: LiveServer, room: RealtimeRoom):
    anna, _ = await live.enter(room, id="anna")
    assert (await anna.ask("mute", stream_id=CAMERA, video=True))["type"] == "ok"
    bert, joined = await live.enter(room, id="bert")
    assert joined["streams"] == []
    await offer(bert, "anna")
    await anna.ask("answer", to="bert", sdp="x", streams=[stream()])
    told = {"type": "mute_update", "user_id": "anna", "stream_id": CAMERA, "audio": False, "video": True}
    assert await bert.until("mute_update") == told
    assert bert.heard[-1]["type"] == "answer"


# people


async def test_people_talk_raise_hands_and_are_there_as_in_any_room(live: LiveServer, room: RealtimeRoom):
    anna, bert = await enter(live, room, "anna", "bert")
    assert (await anna.until("participant_update"))["participant"]["id"] == "bert"
    await bert.send("chat", content="hi")
    await bert.send("raise_hand", raised=True)
    assert (await anna.until("chat"))["content"] == "hi"
    assert (await anna.until("hand_update"))["user_id"] == "bert"


async def test_participants_are_listed_in_the_order_in_which_they_came_also_to_who_comes_back(
    live: LiveServer, room: RealtimeRoom
):
    """Whoever came later offers first: this tells a client who that is."""
    anna, _, _ = await enter(live, room, "anna", "bert", "carl")
    await anna.socket.close()
    _, joined = await live.enter(room, id="anna")
    assert [person["id"] for person in joined["participants"]] == ["anna", "bert", "carl"]


async def test_without_an_upgrade_count_a_mesh_room_is_full_at_its_limit(live: LiveServer, room: RealtimeRoom):
    await enter(live, room, "anna", "bert", "carl", "dora")
    said, code = await (await live.knock(token=room.token)).closed()
    assert (said[-1]["name"], code) == ("room_full", 4409)


# coming back


async def test_a_lost_socket_costs_nobody_a_connection(live: LiveServer, room: RealtimeRoom):
    anna, first = await live.enter(room, id="anna")
    (bert,) = await enter(live, room, "bert")
    await offer(bert, "anna", stream())
    await anna.until("offer")
    await anna.ask("answer", to="bert", sdp="x", streams=[stream(OTHER)])
    anna.vanish()
    await anna.closed()
    await offer(bert, "anna", stream(), sdp="fresh credentials")
    again = await live.knock(token=first["endpoint"]["token"])
    joined = await again.join()
    assert joined["participant"] == first["participant"]
    assert {told["stream_id"] for told in joined["streams"]} == {CAMERA, OTHER}
    assert (await again.receive())["sdp"] == "fresh credentials"
    await bert.ask("ping")
    assert "participant_update" not in [message["type"] for message in bert.heard]


async def test_a_page_that_was_reloaded_is_not_told_of_connections_it_does_not_have(
    live: LiveServer, room: RealtimeRoom
):
    anna, first = await live.enter(room, id="anna")
    (bert,) = await enter(live, room, "bert")
    await anna.socket.close(code=1001)
    await offer(bert, "anna", stream(), sdp="too early")
    again = await live.knock(token=first["endpoint"]["token"])
    await again.join()
    await offer(bert, "anna", stream(), sdp="now")
    assert (await again.until("offer"))["sdp"] == "now"


async def test_what_is_held_for_who_comes_back_is_bounded_and_of_those_who_are_there(
    live: LiveServer, room: RealtimeRoom
):
    anna, first = await live.enter(room, id="anna")
    bert, carl = await enter(live, room, "bert", "carl")
    anna.vanish()
    await anna.closed()
    await bert.ask("offer", to="anna", sdp="of somebody who leaves", streams=[])
    for number in range(MAX_MESSAGES):
        if number % 30 == 0:
            await offer(carl, "anna", seq=number)
        else:
            await carl.ask("candidate", to="anna", candidate=None)
    await bert.send("leave")
    await bert.closed()
    again = await live.knock(token=first["endpoint"]["token"])
    await again.join()
    await again.ask("ping")
    held = [message for message in again.heard if "from" in message]
    assert [message["from"] for message in held] == ["carl"] * (MAX_MESSAGES - 1)
