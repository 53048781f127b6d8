"""Broadcasts to platforms that take RTMP: each line of section 8 of the rooms contract, with `broadcasts_update`."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from signaling.appkeys import MEDIA
from signaling.services.broadcasts import MAX_LIVE
from tests.support.hooks import hook
from tests.support.team import KEY, Team, team_server

STREAM, PLAYER = "rtmp://127.0.0.1/live/a-secret-key", "https://video.example/standup"


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_server(tmp_path) as team:
        yield team


@pytest.fixture
async def ada(team: Team) -> dict[str, Any]:
    return await team.enter(user={"id": "ada"})


def of(meeting: dict[str, Any], platform: str = "") -> str:
    return f"/rooms/{meeting['access_key']}/broadcasts{platform and '/'}{platform}"


def conference(team: Team, meeting: dict[str, Any]) -> Any:
    """The media plane's."""
    return team.client.app[MEDIA].conference(meeting["signaling"]["options"]["conf_id"])


async def begin(team: Team, meeting: dict[str, Any], platform: str = "generic", **more: str) -> None:
    body = {"stream_url": STREAM, "platform": platform, **more}
    assert await team.ask("POST", of(meeting), json=body) == (201, None)


async def live(team: Team, meeting: dict[str, Any]) -> list[dict[str, Any]]:
    """As the meeting is told to its users."""
    return (await team.ask("GET", f"/rooms/{meeting['access_key']}"))[1]["broadcasts"]


@pytest.mark.parametrize("platform", [{}, {"platform": ""}, {"platform": None}])
async def test_by_default_the_platform_is_generic(team: Team, ada: dict[str, Any], platform: dict[str, Any]):
    assert await team.status("POST", of(ada), json={"stream_url": STREAM, **platform}) == 201
    assert [each["platform"] for each in await live(team, ada)] == ["generic"]


@pytest.mark.parametrize("how", ["json", "data"])
async def test_a_broadcast_begins_with_the_address_of_its_stream(team: Team, ada: dict[str, Any], how: str):
    assert await team.ask("POST", of(ada), **{how: {"stream_url": STREAM}}) == (201, None)
    (told,) = await live(team, ada)
    assert set(told) == {"id", "platform", "player_url", "user", "room"}
    assert (told["platform"], told["player_url"], told["user"]["id"]) == ("generic", None, "ada")
    assert (told["room"]["id"], told["room"]["ready"]) == (ada["room"]["id"], True)
    target = conference(team, ada).broadcasts[told["id"]]
    assert (target.url, target.addresses) == (STREAM, ("127.0.0.1",))


async def test_there_is_a_composite_for_it_and_none_afterwards(team: Team, ada: dict[str, Any]):
    await begin(team, ada)
    assert conference(team, ada).scenes[-1] is not None
    assert await team.status("DELETE", of(ada, "generic")) == 200
    assert conference(team, ada).scenes[-1] is None


async def test_each_platform_has_a_stream_of_its_own_at_once(team: Team, ada: dict[str, Any]):
    await begin(team, ada, "youtube", player_url=PLAYER)
    await begin(team, ada, "facebook", stream_url="rtmps://127.0.0.1:443/rtmp/FB-1?s_bl=1")
    assert [(each["platform"], each["player_url"]) for each in await live(team, ada)] == [
        ("youtube", PLAYER),
        ("facebook", None),
    ]
    assert len(conference(team, ada).broadcasts) == 2
    assert await team.status("POST", of(ada), json={"stream_url": STREAM, "platform": "youtube"}) == 406


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="no stream_url"),
        pytest.param({"stream_url": ""}, id="a blank one"),
        pytest.param({"stream_url": "https://127.0.0.1/live/key"}, id="not RTMP"),
        pytest.param({"stream_url": "rtmp://127.0.0.1/"}, id="no stream"),
        pytest.param({"stream_url": "rtmp://127.0.0.1/live"}, id="no key"),
        pytest.param({"stream_url": "rtmp:///live/key"}, id="no host"),
        pytest.param({"stream_url": "rtmp://127.0.0.1:99999/live/key"}, id="no port"),
        pytest.param({"stream_url": "rtmp://nobody.invalid/live/key"}, id="a host nobody knows"),
        pytest.param({"stream_url": "rtmp://me:secret@127.0.0.1/live/key"}, id="a password"),
        pytest.param({"stream_url": "rtmp://127.0.0.1/live/" + "k" * 2048}, id="too long"),
        pytest.param({"stream_url": "rtmp://127.0.0.1/live/a key"}, id="a space"),
        pytest.param({"stream_url": ["rtmp://127.0.0.1/live/key"]}, id="a list"),
        pytest.param({"stream_url": STREAM, "platform": "You Tube"}, id="no name of a platform"),
        pytest.param({"stream_url": STREAM, "platform": "x" * 33}, id="a long name of a platform"),
        pytest.param({"stream_url": STREAM, "player_url": "ftp://video.example"}, id="a player that is no page"),
    ],
)
async def test_what_cannot_be_used_is_400_and_shows_no_secret(team: Team, ada: dict[str, Any], body: dict[str, Any]):
    status, told = await team.ask("POST", of(ada), json=body)
    assert (status, await live(team, ada)) == (400, [])
    assert "key" not in json.dumps(told).replace("access_key", "")


@pytest.mark.parametrize(
    "url", ["rtmp://127.0.0.1/live/key", "rtmps://10.0.0.1/live/key", "rtmp://[::1]/live/key", "rtmp://localhost/a/b"]
)
async def test_addresses_of_our_own_networks_are_not_pushed_to(tmp_path: Path, url: str):
    async with team_server(tmp_path, fetch={"allow_private_addresses": False}) as team:
        ada = await team.enter()
        assert await team.status("POST", of(ada), json={"stream_url": url}) == 400
        assert conference(team, ada).broadcasts == {}


async def test_where_it_is_switched_off_it_is_405(team: Team):
    meeting = await team.enter(options={"broadcast_available": False})
    assert await team.status("POST", of(meeting), json={"stream_url": STREAM}) == 405


async def test_there_are_no_more_than_so_many(team: Team, ada: dict[str, Any]):
    for number in range(MAX_LIVE):
        await begin(team, ada, f"platform-{number}")
    assert await team.status("POST", of(ada), json={"stream_url": STREAM}) == 406


async def test_where_it_can_be_watched_can_be_said_later(team: Team, ada: dict[str, Any]):
    await begin(team, ada)
    await begin(team, ada, "youtube")
    assert await team.ask("PUT", of(ada), json={"player_url": PLAYER}) == (200, None)
    assert await team.ask("PUT", of(ada, "youtube"), data={"player_url": PLAYER + "/2"}) == (200, None)
    assert [each["player_url"] for each in await live(team, ada)] == [PLAYER, PLAYER + "/2"]
    for body in ({}, {"player_url": ""}, {"player_url": "nowhere"}):
        assert await team.status("PUT", of(ada, "youtube"), json=body) == 400
    assert await team.status("PUT", of(ada, "twitter"), json={"player_url": PLAYER}) == 404


async def test_one_ends_or_all(team: Team, ada: dict[str, Any]):
    for platform in ("youtube", "facebook", "twitter"):
        await begin(team, ada, platform)
    assert await team.ask("DELETE", of(ada, "facebook")) == (200, None)
    assert await team.status("DELETE", of(ada, "facebook")) == 404
    assert [each["platform"] for each in await live(team, ada)] == ["youtube", "twitter"]
    assert len(conference(team, ada).broadcasts) == 2
    assert await team.ask("DELETE", of(ada)) == (200, None)
    assert (await live(team, ada), conference(team, ada).broadcasts) == ([], {})
    assert await team.status("DELETE", of(ada)) == 404
    await begin(team, ada, "facebook")


async def test_every_change_is_told_with_the_whole_list(team: Team, ada: dict[str, Any]):
    witness = await team.join(ada)
    await begin(team, ada, "youtube")
    await begin(team, ada, "facebook")
    await team.status("PUT", of(ada, "youtube"), json={"player_url": PLAYER})
    conference(team, ada).gives_up((await live(team, ada))[1]["id"])
    await team.status("DELETE", of(ada))
    lists = [(await witness.until("broadcasts_update"))["broadcasts"] for _ in range(5)]
    assert [[(each["platform"], each["player_url"]) for each in told] for told in lists] == [
        [("youtube", None)],
        [("youtube", None), ("facebook", None)],
        [("youtube", PLAYER), ("facebook", None)],
        [("youtube", PLAYER)],
        [],
    ]
    assert "secret" not in json.dumps(lists)


async def test_what_a_platform_refuses_for_good_leaves_the_list(team: Team, ada: dict[str, Any]):
    witness = await team.join(ada)
    await begin(team, ada, "youtube")
    (told,) = (await witness.until("broadcasts_update"))["broadcasts"]
    conference(team, ada).gives_up(told["id"])
    assert (await witness.until("broadcasts_update"))["broadcasts"] == []
    assert await live(team, ada) == []
    assert await team.status("DELETE", of(ada, "youtube")) == 404


async def test_the_end_of_the_meeting_ends_all(team: Team, ada: dict[str, Any]):
    witness = await team.join(ada)
    there = conference(team, ada)
    await begin(team, ada)
    await witness.until("broadcasts_update")
    await team.end()
    assert (await witness.until("broadcasts_update"))["broadcasts"] == []
    assert there.broadcasts == {}
    again = await team.enter()
    assert await live(team, again) == []


async def test_observers_see_what_is_live(team: Team, ada: dict[str, Any]):
    await begin(team, ada, "youtube")
    observer = await team.observe()
    assert [each["platform"] for each in (await observer.until("room_update"))["content"]["broadcasts"]] == ["youtube"]


async def test_the_trace_of_a_broadcast(team: Team, ada: dict[str, Any]):
    """What those inside and an observer are told, in order."""
    observer = await team.observe()
    await observer.until("room_update")
    ann = await team.join(ada)
    await begin(team, ada, "youtube", player_url=PLAYER)
    await team.status("DELETE", of(ada, "youtube"))
    await begin(team, ada)
    (told,) = await live(team, ada)
    await team.end()
    coming = ["participant_update", "podium_update"]
    trace = [*["broadcasts_update"] * 4, "room_update"]
    observed, heard = (await observer.closed())[0], (await ann.closed())[0]
    assert [each["type"] for each in observed] == [*coming, *trace]
    assert [each["type"] for each in heard] == [*trace, "terminated"]
    generic = {"type": "broadcasts_update", "broadcasts": [told]}
    assert [each for each in observed if each["type"] == "broadcasts_update"][2] == generic
    assert set(told["user"]) == {"id", "name", "avatar", "guest", "joined_at"}
    assert {"id", "name", "ready", "started_at", "shutdown", "sip", "guest_token"} == set(told["room"])


async def test_webhooks_get_the_list_without_the_secret(team: Team, ada: dict[str, Any]):
    async with hook() as receiver:
        body = {"url": receiver.url, "types": "broadcast_update"}
        assert await team.status("POST", "/webhooks", key=KEY, json=body) == 201
        await begin(team, ada, "youtube")
        await team.status("DELETE", of(ada))
        await receiver.until(lambda: len(receiver.accepted) == 2)
    bodies = [got.json() for got in receiver.accepted]
    assert [body["type"] for body in bodies] == ["broadcast_update"] * 2
    assert [[each["platform"] for each in body["broadcasts"]] for body in bodies] == [["youtube"], []]
    assert "secret" not in json.dumps(bodies)
