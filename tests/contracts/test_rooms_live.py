"""Meetings of teams' rooms over /rt: golden traces of what participants and observers are told, in order."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import Talker
from tests.support.team import KEY, OTHER_KEY, Team, team_server

NEVER_ISSUED = "Qm7tZ0bLw3XcR9kVdJ2sHfNa"
ROOM = '{"channel":"RoomChannel"}'
USER = '{"channel":"UserChannel"}'


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_server(tmp_path) as team:
        yield team


async def refused(talker: Talker) -> int | None:
    """The close code; one error comes before it."""
    said, code = await talker.closed()
    assert [message["type"] for message in said] == ["error"]
    return code


def types(said: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in said]


def participant(meeting: dict[str, Any], *, online: bool) -> dict[str, Any]:
    user = meeting["user"]
    return {
        "type": "participant_update",
        "participant": {
            "id": user["id"],
            "room_id": meeting["room"]["id"],
            "name": user["name"],
            "avatar": user["avatar"],
            "guest": user["guest"],
            "online": online,
        },
    }


# coming in


async def test_a_participant_learns_first_what_the_api_has_told(team: Team):
    ada = await team.enter(user={"id": "ada@company.example", "avatar": "https://img.example/a.png"})
    talker = await team.knock(access_key=ada["access_key"])
    assert await talker.receive() == {"type": "room_setup", "content": ada}
    joined = await talker.join(name="another name")
    assert joined["participant"]["id"] == "ada@company.example"
    assert joined["participant"]["name"] == "Ada"
    assert (joined["participant"]["role"], joined["participant"]["guest"], joined["mode"]) == (
        "publisher",
        False,
        "SFU",
    )
    assert joined["options"] == ada["options"]
    assert "endpoint" not in joined


@pytest.mark.parametrize("key", [NEVER_ISSUED, "short", "x" * 300])
async def test_an_access_key_that_was_never_issued_is_refused(team: Team, key: str):
    assert await refused(await team.knock(access_key=key)) == 4403


async def test_an_access_key_of_a_meeting_that_is_over_is_used_up(team: Team):
    ada = await team.enter()
    await team.end()
    assert await refused(await team.knock(access_key=ada["access_key"])) == 4410


async def test_a_full_meeting_has_no_seat_for_who_was_registered_before(team: Team):
    ada, bob = await team.enter(options={"max_participants": 1}), await team.enter(name="Bob")
    await team.join(ada)
    assert await refused(await team.knock(access_key=bob["access_key"])) == 4409


async def test_a_second_socket_replaces_the_first(team: Team):
    ada, bob = await team.enter(), await team.enter(name="Bob")
    listening = await team.join(bob)
    first = await team.join(ada)
    await team.join(ada)
    assert await first.closed() == ([{"type": "terminated", "reason": "replaced"}], 1000)
    assert await listening.receive() == participant(ada, online=True)
    await listening.send("ping")
    await listening.until("pong")
    assert types(listening.heard[-1:]) == ["podium_update"]  # of the first coming: nobody has noticed the second


# what happens in a meeting


async def test_the_trace_of_a_meeting(team: Team):
    ada = await team.enter(options={"lock_available": True}, user={"id": "ada"})
    observer = await team.observe()
    first = await observer.receive()
    assert first == {
        "type": "room_update",
        "content": {
            **{name: ada["room"][name] for name in ("id", "name", "ready", "started_at", "shutdown", "guest_token")},
            "options": ada["options"],
            "participants": [],
            "playbacks": [],
            "presentation": None,
            "broadcasts": [],
            "recording": None,
        },
    }
    ann = await team.join(ada)
    gus = await team.guest(ada, id="gus")
    guest = await team.join(gus)
    said = [("chat", "hello"), ("custom", "{}"), ("my_type", "x")]
    for kind, content in said:
        body = {"type": kind, "content": content}
        assert await team.status("POST", f"/rooms/{ada['access_key']}/messages", json=body) == 201
    assert await team.status("POST", f"/rooms/{ada['access_key']}/lock") == 201
    await team.end()

    lines = {"ann": (await ann.closed())[0], "guest": (await guest.closed())[0]}
    observed, code = await observer.closed()
    assert code == 1000
    messages = [kind for kind, _ in said]
    ending = ["lock", "room_update", "room_update"]
    coming = ["participant_update", "podium_update"]
    assert types(observed) == [*coming, *coming, *messages, *ending]
    assert types(lines["ann"]) == [*coming, *messages, *ending, "terminated"]
    assert types(lines["guest"]) == [*messages, *ending, "terminated"]
    assert [observed[0], observed[2]] == [participant(ada, online=True), participant(gus, online=True)]
    assert [spot["user_id"] for spot in observed[3]["podium"]] == ["ada", "gus"]
    chat = observed[4]
    assert (chat["content"], chat["cid"], chat["user_id"]) == ("hello", "ada", "ada")
    assert chat["created_at"].endswith("Z")
    assert observed[7] == {"type": "lock", "locked": True}
    last = observed[-1]["content"]
    assert (last["ready"], last["started_at"], last["shutdown"], last["participants"]) == (False, None, True, [])
    assert "guest_token" not in last
    assert lines["ann"][-1] == {"type": "terminated", "reason": "ended"}


async def test_a_new_name_of_the_room_is_told_once(team: Team):
    ann = await team.join(await team.enter())
    for _ in range(2):
        await team.enter(name="Bob", user={"id": "bob"})
        body = {"id": "standup", "name": "Stand-up", "user": {"id": "bob", "name": "Bob"}}
        assert await team.status("POST", "/rooms", key=KEY, json=body) == 201
    await team.end()
    updates = [each["content"] for each in (await ann.closed())[0] if each["type"] == "room_update"]
    assert [update["name"] for update in updates] == ["Stand-up", "Stand-up"]
    assert [update["shutdown"] for update in updates] == [False, True]


async def test_somebody_is_kicked_and_comes_back(team: Team):
    ada, bob = await team.enter(), await team.enter(name="Bob", user={"id": "bob"})
    ann, other = await team.join(ada), await team.join(bob)
    path = f"/rooms/{ada['access_key']}/users/bob"
    assert await team.ask("DELETE", path) == (200, None)
    assert (await other.closed())[0][-1] == {"type": "terminated", "reason": "kicked"}
    told = [await ann.until("participant_update") for _ in range(2)]
    assert told == [participant(bob, online=True), participant(bob, online=False)]
    await team.join(bob)
    assert await team.ask("DELETE", f"/rooms/{ada['access_key']}/users/nobody") == (
        404,
        {"error": "There is no user nobody."},
    )
    gus = await team.guest(ada)
    assert await team.status("DELETE", f"/rooms/{gus['access_key']}/users/bob") == 403
    assert (await ann.ask("kick", user_id="bob"))["type"] == "ok"
    guest = await team.join(gus)
    assert (await guest.ask("kick", user_id=ada["user"]["id"]))["code"] == 403


async def test_without_the_option_nobody_kicks(team: Team):
    ada = await team.enter(user={"id": "ada"}, options={"kick_available": False})
    assert await team.status("DELETE", f"/rooms/{ada['access_key']}/users/ada") == 403
    ann = await team.join(ada)
    assert (await ann.ask("kick", user_id="ada"))["code"] == 403


async def test_a_locked_meeting_is_for_who_is_in_it(team: Team):
    ada = await team.enter(options={"lock_available": True})
    bob, cid = await team.enter(name="Bob", user={"id": "bob"}), await team.enter(name="Cid")
    ann, other = await team.join(ada), await team.join(bob)
    waiting = await team.knock(access_key=cid["access_key"])
    await waiting.until("room_setup")
    assert await team.status("POST", f"/rooms/{ada['access_key']}/lock") == 201
    assert types((await waiting.closed())[0]) == ["terminated"]
    assert await refused(await team.knock(access_key=cid["access_key"])) == 4423
    ann.vanish()
    await team.join(ada)  # within the grace period
    assert await team.status("DELETE", f"/rooms/{ada['access_key']}/users/bob") == 200
    await other.closed()
    assert await refused(await team.knock(access_key=bob["access_key"])) == 4423


# observers


@pytest.mark.parametrize(
    ("query", "protocols", "header"),
    [
        pytest.param({}, (), KEY, id="header"),
        pytest.param({"api_key": KEY}, (), None, id="query"),
        pytest.param({}, ("conf-v1-json", "observers-key"), None, id="subprotocol"),
    ],
)
async def test_an_observer_proves_itself(
    tmp_path: Path, query: dict[str, str], protocols: tuple[str, ...], header: str | None
):
    keys = [{"key": KEY, "team": "T"}, {"key": "observers-key", "team": "T"}]
    async with team_server(tmp_path, api_keys=keys) as team:
        await team.enter()
        observer = await team.knock(protocols, header, room_id="standup", **query)
        assert (await observer.receive())["type"] == "room_update"
        assert observer.socket.protocol == ("conf-v1-json" if protocols else None)


async def test_observers_are_no_participants_and_say_nothing_but_ping(team: Team):
    ada = await team.enter(options={"max_participants": 1})
    observer = await team.observe()
    await observer.until("room_update")
    assert await observer.ask("ping") == {"type": "pong", "request_id": "ask"}
    for kind in ("join", "chat", "nothing"):
        assert (await observer.ask(kind, content="x"))["code"] == 403
    await team.join(ada)
    users = (await team.ask("GET", "/rooms/standup/users", key=KEY))[1]
    assert [user["online"] for user in users] == [True]


@pytest.mark.parametrize(
    ("room", "key", "code"),
    [
        ("standup", None, 4401),
        ("standup", "nobody's", 4403),
        ("standup", OTHER_KEY, 4404),
        ("another", KEY, 4404),
    ],
)
async def test_observers_that_are_refused(team: Team, room: str, key: str | None, code: int):
    await team.enter()
    assert await refused(await team.knock(key=key, room_id=room)) == code


async def test_a_meeting_that_is_over_is_not_observed(team: Team):
    await team.enter()
    await team.end()
    assert await refused(await team.observe()) == 4404


# the other framing


async def cable(team: Team, **query: str) -> Talker:
    return await team.knock(("actioncable-v1-json",), **query)


async def subscribe(talker: Talker, identifier: str) -> None:
    await talker.socket.send_str(json.dumps({"command": "subscribe", "identifier": identifier}))


async def test_a_meeting_over_a_cable(team: Team):
    ada = await team.enter(user={"id": "ada"})
    talker = await cable(team, access_key=ada["access_key"])
    assert talker.socket.protocol == "actioncable-v1-json"
    assert await talker.receive() == {"type": "welcome"}
    await subscribe(talker, ROOM)
    assert await talker.receive() == {"identifier": ROOM, "type": "confirm_subscription"}
    assert await talker.receive() == {"identifier": ROOM, "message": {"type": "room_setup", "content": ada}}
    await subscribe(talker, '{"channel":"Other"}')
    assert await talker.receive() == {"identifier": '{"channel":"Other"}', "type": "reject_subscription"}
    await subscribe(talker, USER)
    assert await talker.receive() == {"identifier": USER, "type": "confirm_subscription"}
    join = {"command": "message", "identifier": USER, "data": json.dumps({"type": "join"})}
    await talker.socket.send_str(json.dumps(join))
    joined = await talker.receive()
    assert (joined["identifier"], joined["message"]["type"]) == (USER, "joined")
    assert (
        await team.status("POST", f"/rooms/{ada['access_key']}/messages", json={"type": "chat", "content": "x"}) == 201
    )
    chat = await talker.receive()
    assert (chat["identifier"], chat["message"]["type"]) == (ROOM, "chat")
    await team.end()
    update, terminated = await talker.receive(), await talker.receive()
    assert (update["identifier"], update["message"]["content"]["shutdown"]) == (ROOM, True)
    assert terminated == {"identifier": USER, "message": {"type": "terminated", "reason": "ended"}}
    assert await talker.closed() == ([], 1000)


async def test_an_observer_over_a_cable(team: Team):
    await team.enter()
    observer = await cable(team, room_id="standup", api_key=KEY)
    assert await observer.receive() == {"type": "welcome"}
    await subscribe(observer, ROOM)
    assert (await observer.receive())["type"] == "confirm_subscription"
    assert (await observer.receive())["message"]["type"] == "room_update"


async def test_who_is_refused_over_a_cable_is_told_so(team: Team):
    talker = await cable(team, access_key=NEVER_ISSUED)
    disconnect = {"type": "disconnect", "reason": "unauthorized", "reconnect": False}
    assert await talker.closed() == ([{"type": "welcome"}, disconnect], 4403)
