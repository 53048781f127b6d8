"""The client of the REST API: each operation of the rooms family once, and the example of its documentation."""

import asyncio
import re
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, TraceConfig, TraceRequestStartParams

from signaling import client
from signaling.api.rooms import rooms_family
from signaling.client import ApiError, Meeting, NewInsert, NewUser, Realtime, RoomOptions, Rooms, Sessions, Spaces, User
from signaling.client.broadcasts import Broadcasts
from tests.support.api_server import JWT, SPACES, SPACES_CLIENT, web_token
from tests.support.documents import picture
from tests.support.team import KEY, Team, team_server

REALTIME_KEY = "the realtime key of the tests"


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_server(tmp_path, realtime_keys=[REALTIME_KEY], jwt=JWT, spaces=SPACES) as team:
        yield team


@pytest.fixture
async def rooms(team: Team) -> AsyncIterator[Rooms]:
    async with Rooms(str(team.client.make_url("")), KEY) as rooms:
        yield rooms


async def test_a_meeting_is_a_typed_answer(rooms: Rooms):
    ada = await rooms.enter(NewUser(name="Ada", id="ada@x"), "a/b", options=RoomOptions(widescreen=True))
    assert (ada.user.id, ada.room.id, ada.options.widescreen, ada.options.layout) == ("ada@x", "a/b", True, "auto")
    assert (await rooms.room("a/b")).guest_token == ada.room.guest_token
    assert [room.id for room in await rooms.running()] == ["a/b"]
    assert await rooms.user(ada).meeting() == ada
    gus = await rooms.guest(ada.room.guest_token or "", "Gus", locale="de")
    assert gus.user.guest
    assert [user.name for user in await rooms.users("a/b", online=False)] == ["Ada", "Gus"]
    await rooms.end("a/b")
    with pytest.raises(ApiError) as refused:
        await rooms.user(ada).meeting()
    assert (refused.value.status, set(refused.value.body)) == (410, {"error"})


async def test_what_is_refused_says_why(team: Team):
    async with Rooms(str(team.client.make_url("")), "nobody's") as rooms:
        with pytest.raises(ApiError, match="403") as refused:
            await rooms.running()
    assert (refused.value.status, refused.value.body) == (403, {"error": "Forbidden"})


async def test_no_api_key_goes_along_with_an_access_key(team: Team, rooms: Rooms):
    ada = await rooms.enter(NewUser(name="Ada"))
    async with Rooms(str(team.client.make_url(""))) as nobodys:
        assert await nobodys.user(ada.access_key).meeting() == await rooms.user(ada.access_key).meeting()


async def test_the_other_families_let_people_in(team: Team):
    url = str(team.client.make_url(""))
    async with Realtime(url, REALTIME_KEY) as realtime:
        room = await realtime.create_room("SFU", name="Ward 3")
        assert (room.conferenceType, room.name, len(room.token)) == ("SFU", "Ward 3", 64)
    async with Sessions(url, web_token()) as sessions:
        token = await sessions.token(await sessions.create(), data="Ada")
        assert token.sessionId
    async with Spaces(url, **SPACES_CLIENT) as spaces:
        assert (await spaces.token()).token_type == "Bearer"


async def test_the_example_of_the_documentation_runs(
    team: Team, rooms: Rooms, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    lines = re.findall(r"^(?: {4}.*)?\n", client.__doc__ or "", re.MULTILINE)
    source = textwrap.dedent("".join(lines)).replace("https://meet.example", str(team.client.make_url("")))
    example: dict[str, Any] = {}
    exec(f"async def example(key):\n{textwrap.indent(source, '    ')}", example)
    running = asyncio.create_task(example["example"](KEY))
    while not await rooms.running():
        pass
    while "Bob" not in capsys.readouterr().out:  # whoever comes before it observes is not told of
        await team.join((await rooms.enter(NewUser(name="Bob"), "standup")).model_dump())
    await rooms.end("standup")
    await running


async def test_every_operation_of_a_team_has_a_method(team: Team):
    called: set[tuple[str, str]] = set()
    trace = TraceConfig()

    async def noted(_: ClientSession, __: SimpleNamespace, params: TraceRequestStartParams) -> None:
        called.add((params.method, params.url.path))

    trace.on_request_start.append(noted)
    async with ClientSession(trace_configs=[trace]) as session:
        await everything(Rooms(str(team.client.make_url("")), KEY, session=session))
    missing = [f"{each.method} {each.path}" for each in rooms_family({}).operations if not _among(each, called)]
    assert missing == []


def _among(operation: Any, called: set[tuple[str, str]]) -> bool:
    shape = re.compile(re.sub(r"\{\w+\}", "[^/]+", operation.path))
    return any(method == operation.method and shape.fullmatch(path) for method, path in called)


async def everything(rooms: Rooms) -> None:
    """A meeting in which all is done that can be done."""
    options = RoomOptions(lock_available=True)
    ada = await rooms.enter(NewUser(name="Ada"), "standup", name="Stand-up", options=options)
    bob = await rooms.enter(NewUser(name="Bob"), "standup")
    await rooms.guest(ada.room.guest_token or "", "Gus")
    await in_the_meeting(rooms.user(ada), bob)
    await by_the_team(rooms)
    await with_permalinks(rooms)
    await with_webhooks(rooms)
    await rooms.user(ada).lock()
    await rooms.end("standup")
    await rooms.user(await rooms.enter(NewUser(name="Ada"))).end()


async def in_the_meeting(user: User, bob: Meeting) -> None:
    await user.meeting()
    await user.say("hello")
    assert (await user.person(bob.user.id)).name == "Bob"
    await user.kick(bob.user.id)
    await user.lay_out("custom", name="mine", map=[(0, 0, 640, 480, "cover")], users=[bob.user.id])
    assert await user.start_hls() == await user.hls()
    await user.stop_hls()
    await user.put_layer(insert=NewInsert(title="Hello"), id="mine")
    await user.put_layer(file=picture("png"), z_index=-1)
    await user.remove_layer(-1)
    file = await user.upload(picture("png"), "a.png")
    assert [each.id for each in await user.files()] == [(await user.file(file.id)).id] == [file.id]
    slide = (await user.file(file.id)).links.slides[0]
    assert (await user.present(slide)).slide == slide
    await user.turn_to(slide)
    await user.stop_presenting()
    await user.delete_file(file.id)
    await user.start_recording()
    await user.stop_recording()
    await user.take_snapshot()
    await refused(404, user.snapshot("nothing"))
    await refused(400, user.play("http://127.0.0.1:9/film.webm"))
    await refused(404, user.stop_playing("nothing"))
    await to_those_outside(user.broadcasts)


async def to_those_outside(broadcasts: Broadcasts) -> None:
    await broadcasts.start("rtmp://127.0.0.1/live/key")
    await broadcasts.start("rtmp://127.0.0.1/live/key", platform="youtube")
    await broadcasts.change("https://watch.example")
    await broadcasts.change("https://watch.example", "youtube")
    await broadcasts.stop("youtube")
    await broadcasts.stop()
    assert (await broadcasts.start_hls()) == (await broadcasts.hls())
    await broadcasts.stop_hls()


async def by_the_team(rooms: Rooms) -> None:
    await rooms.running()
    await rooms.room("standup")
    await rooms.users("standup")
    await rooms.snapshots("standup", page=2)
    (recording,) = await rooms.recordings("standup")
    assert (await rooms.recording(recording.id)).user.name == "Ada"
    await rooms.delete_recording(recording.id)
    await refused(404, rooms.snapshot("nothing"))
    await refused(404, rooms.delete_snapshot("nothing"))
    await refused(404, rooms.forward_source("standup", "tv", "nobody", "http://127.0.0.1:9/whip"))
    await rooms.forward_composite("standup", "cinema", "http://127.0.0.1:9/whip")
    await refused(404, rooms.forward_playback("standup", "tv", "nothing", "http://127.0.0.1:9/whip"))
    await refused(404, rooms.stop_forward("standup", "tv"))


async def with_permalinks(rooms: Rooms) -> None:
    link = await rooms.permalinks.create(NewUser(name="Ada"), name="Clinic")
    id = link.permalink["id"]
    changed = await rooms.permalinks.change(id, name="Ward")
    assert changed.room["name"] == "Ward"
    added = await rooms.permalinks.add_host(id, NewUser(name="Bob"))
    assert (await rooms.host(added.permalink["user_token"])).user.name == "Bob"
    await rooms.permalinks.remove_host(id, added.permalink["user_token"])
    assert (await rooms.permalinks.list(expired=False)).items == [await rooms.permalinks.get(id)]
    await rooms.permalinks.delete(id)


async def with_webhooks(rooms: Rooms) -> None:
    assert await rooms.webhooks.get() is None
    hook = await rooms.webhooks.register("http://127.0.0.1:9/hook", ["room_update"])
    assert await rooms.webhooks.get() == hook
    await rooms.webhooks.deliveries(hook.id, state="failed")
    assert await rooms.webhooks.replay_all(hook.id) == 0
    await refused(404, rooms.webhooks.replay(hook.id, "0b3c9a3e-0f4f-4b5c-8f6d-000000000000"))
    await rooms.webhooks.delete(hook.id)


async def refused(status: int, call: Any) -> None:
    with pytest.raises(ApiError) as error:
        await call
    assert error.value.status == status
