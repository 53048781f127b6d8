"""Streams pushed to WHIP servers: each line of section 14 of the rooms contract, and of section 8 of WHIP's."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mediaserver import StreamDescription
from signaling.appkeys import FORWARDS, MEDIA
from tests.support.live import Talker
from tests.support.server import until
from tests.support.team import KEY, OTHER_KEY, Team, team_server

PATIENCE = 5.0
CAMERA = "5a3c1d2e-0000-4000-8000-000000000001"


@dataclass
class Target:
    """A WHIP server; `answers` are statuses for the requests that come, then 201."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    asked: list[tuple[str, str, str | None, str]] = field(default_factory=list)
    """Method, path, bearer and body."""

    async def serve(self, request: web.Request) -> web.Response:
        bearer = request.headers.get("Authorization")
        self.asked.append((request.method, request.path, bearer, await request.text()))
        if request.method == "DELETE":
            return web.Response(status=200)
        status = self.answers.pop(0) if self.answers else 201
        place = "/moved" if status in (307, 308) else "/whip/session"
        return web.Response(status=status, text="answer", headers={"Location": place})

    def methods(self) -> list[str]:
        return [method for method, *_ in self.asked]


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_server(tmp_path) as team:
        team.client.app[FORWARDS].pauses = (0.0, 0.0, 0.0)
        yield team


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    target = Target()
    app = web.Application()
    app.add_routes([web.route("*", "/{path:.*}", target.serve)])
    async with TestServer(app) as server:
        target.url = str(server.make_url("/whip"))
        yield target


@pytest.fixture
async def ada(team: Team) -> dict[str, Any]:
    """Online, with a camera."""
    ada = await team.enter(user={"id": "ada"})
    await team.join(ada)
    participant = conference(team, ada).participant("ada")
    participant.negotiate("offer", [StreamDescription(CAMERA, "camera", "ada", "0", "1")])
    return ada


@pytest.fixture
async def observer(team: Team, ada: dict[str, Any]) -> Talker:
    observer = await team.observe()
    await observer.until("room_update")
    return observer


def conference(team: Team, meeting: dict[str, Any]) -> Any:
    """The media plane's."""
    return team.client.app[MEDIA].conference(meeting["signaling"]["options"]["conf_id"])


async def push(team: Team, url: str, kind: str = "source", key: str | None = KEY, **changes: Any) -> int:
    body = {"forward_id": "tv", "user_id": "ada", "type": "audio,video", "url": url, **changes}
    body = {name: value for name, value in body.items() if value is not None}
    return await team.status("POST", f"/rooms/standup/forward/{kind}", key=key, json=body)


async def pushed(team: Team, ada: dict[str, Any], count: int = 1) -> Any:
    """What the media plane pushes, once the answer is there."""
    forwards = conference(team, ada).forwards
    await until(lambda: sum(each.accepted is not None for each in forwards.values()) == count, PATIENCE, "an answer")
    return list(forwards.values())[-1]


async def states(observer: Talker, last: str) -> list[str]:
    """All that is told until this state."""
    told: list[str] = []
    while not told or told[-1] != last:
        (forward,) = (await observer.until("forward_update"))["forwards"]
        assert (forward["forward_id"], forward["kind"]) == ("tv", "source")
        told.append(forward["state"])
    return told


@pytest.mark.parametrize("key", [pytest.param(None, id="missing"), pytest.param("nobody's", id="unknown")])
@pytest.mark.parametrize("path", ["source", "mcu", "playback"])
async def test_without_a_good_key_nobody_pushes(team: Team, path: str, key: str | None):
    assert await team.ask("POST", f"/rooms/x/forward/{path}", key=key, json={}) == (401, {"error": "Unauthorized"})
    assert await team.status("DELETE", "/rooms/x/forward/tv", key=key) == 401


async def test_what_a_user_sends_goes_to_the_server_with_its_token(
    team: Team, ada: dict[str, Any], target: Target, observer: Talker
):
    assert await push(team, target.url, token="secret") == 201
    forward = await pushed(team, ada)
    assert (forward.stream_id, forward.kinds, forward.accepted) == (CAMERA, {"audio", "video"}, "answer")
    assert target.asked == [("POST", "/whip", "Bearer secret", "offer")]
    forward.plays()
    assert await states(observer, "live") == ["connecting", "live"]
    assert await team.ask("DELETE", "/rooms/standup/forward/tv", key=KEY) == (200, None)
    assert await states(observer, "ended") == ["ended"]
    await until(lambda: len(target.asked) == 2, PATIENCE, "its end at the other server")
    assert target.asked[1] == ("DELETE", "/whip/session", "Bearer secret", "")
    assert conference(team, ada).forwards == {}
    assert await team.status("DELETE", "/rooms/standup/forward/tv", key=KEY) == 404


@pytest.mark.parametrize(
    ("type", "kinds"),
    [
        ("audio", {"audio"}),
        ("video", {"video"}),
        ("audio,video", {"audio", "video"}),
        ("video, audio", {"audio", "video"}),
        (["audio"], {"audio"}),
        (["audio", "video"], {"audio", "video"}),
    ],
)
async def test_sound_picture_or_both(team: Team, ada: dict[str, Any], target: Target, type: Any, kinds: set[str]):
    assert await push(team, target.url, type=type) == 201
    assert (await pushed(team, ada)).kinds == kinds


@pytest.mark.parametrize(
    "changes",
    [
        {"forward_id": None},
        {"forward_id": " "},
        {"user_id": None},
        {"type": None},
        {"type": "both"},
        {"type": []},
        {"type": [1]},
        {"url": None},
        {"url": "rtmp://live.example/x"},
        {"url": "http://user:password@live.example/"},
        {"token": "two words"},
        {"token": "a\nb"},
    ],
    ids=str,
)
async def test_what_cannot_be_used_is_refused(team: Team, ada: dict[str, Any], target: Target, changes: dict[str, Any]):
    url = changes.pop("url", target.url)
    assert await push(team, url, **changes) == 400
    assert target.asked == []


async def test_an_id_that_is_in_use_is_refused_until_it_is_free(team: Team, ada: dict[str, Any], target: Target):
    assert [await push(team, target.url) for _ in range(2)] == [201, 400]
    assert await push(team, target.url, forward_id="radio", type="audio") == 201
    (await pushed(team, ada, 2)).end("closed by the peer")
    forwards = conference(team, ada).forwards
    await until(lambda: len(forwards) == 1, PATIENCE, "the end of one")


async def test_an_id_is_free_as_soon_as_its_forward_is_stopped(team: Team, ada: dict[str, Any], target: Target):
    for _ in range(3):
        assert await push(team, target.url) == 201
        assert await team.status("DELETE", "/rooms/standup/forward/tv", key=KEY) == 200
        assert await team.status("DELETE", "/rooms/standup/forward/tv", key=KEY) == 404
    assert conference(team, ada).one_view_on is False


async def test_nothing_is_pushed_of_nobody(team: Team, ada: dict[str, Any], target: Target):
    bob = await team.enter(name="Bob", user={"id": "bob"})
    await team.join(bob)
    assert [await push(team, target.url, user_id=each) for each in ("nobody", "bob")] == [404, 404]
    assert await push(team, target.url, kind="playback", play_id="nothing") == 404
    assert await push(team, target.url, key=OTHER_KEY) == 404
    assert target.asked == []


@pytest.mark.parametrize("why", ["its stream is over", "closed by the peer"])
async def test_it_ends_with_its_source_or_when_the_server_closes(
    team: Team, ada: dict[str, Any], target: Target, observer: Talker, why: str
):
    await push(team, target.url)
    forward = await pushed(team, ada)
    forward.plays()
    forward.end(why)
    assert (await states(observer, "ended"))[-2:] == ["live", "ended"]
    await until(lambda: target.methods() == ["POST", "DELETE"], PATIENCE, "its end at the other server")


async def test_it_ends_with_the_meeting(team: Team, ada: dict[str, Any], target: Target):
    await push(team, target.url)
    await pushed(team, ada)
    await team.end()
    await until(lambda: target.methods() == ["POST", "DELETE"], PATIENCE, "its end at the other server")


async def test_the_composite_goes_elsewhere_as_long_as_it_is_needed(team: Team, ada: dict[str, Any], target: Target):
    there = conference(team, ada)
    for name in ("tv", "radio"):
        assert await push(team, target.url, kind="mcu", forward_id=name, user_id=None) == 201
    forward = await pushed(team, ada, 2)
    assert (forward.stream_id, there.one_view_on, there.scenes[-1] is None) == ("one_view", True, False)
    for name, left in (("tv", True), ("radio", False)):
        assert await team.status("DELETE", f"/rooms/standup/forward/{name}", key=KEY) == 200
        await until(lambda left=left: len(there.forwards) == left, PATIENCE, "one less")
        await until(lambda left=left: there.one_view_on is left, PATIENCE, "the composite's end")
    assert there.scenes[-1] is None


async def test_a_lost_server_is_tried_again_three_times(
    team: Team, ada: dict[str, Any], target: Target, observer: Talker
):
    target.answers = [500, 503]
    await push(team, target.url)
    forward = await pushed(team, ada)
    assert target.methods() == ["POST"] * 3
    forward.plays()
    forward.end("consent has expired")
    forward = await pushed(team, ada)
    forward.end("consent has expired")
    assert (await states(observer, "failed"))[-1] == "failed"
    assert target.methods().count("POST") == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 200])
async def test_a_server_that_says_no_is_not_asked_again(
    team: Team, ada: dict[str, Any], target: Target, observer: Talker, status: int
):
    target.answers = [status] * 4
    await push(team, target.url)
    assert await states(observer, "failed") == ["connecting", "failed"]
    assert target.methods() == ["POST"]


@pytest.mark.parametrize("status", [307, 308])
async def test_a_server_may_send_us_elsewhere_three_times(
    team: Team, ada: dict[str, Any], target: Target, observer: Talker, status: int
):
    target.answers = [status] * 3
    await push(team, target.url, token="secret")
    (await pushed(team, ada)).plays()
    await states(observer, "live")
    assert [path for _, path, *_ in target.asked] == ["/whip", "/moved", "/moved", "/moved"]
    await team.status("DELETE", "/rooms/standup/forward/tv", key=KEY)
    await states(observer, "ended")
    target.answers = [status] * 4
    await push(team, target.url)
    await states(observer, "failed")


async def test_a_token_goes_to_no_other_server(team: Team, ada: dict[str, Any], target: Target):
    other = Target()
    app = web.Application()
    app.add_routes([web.route("*", "/{path:.*}", other.serve)])

    async def away(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": other.url})

    first = web.Application()
    first.add_routes([web.post("/whip", away)])
    async with TestServer(app) as server, TestServer(first) as front:
        other.url = str(server.make_url("/whip"))
        await push(team, str(front.make_url("/whip")), token="secret")
        await pushed(team, ada)
        assert other.asked == [("POST", "/whip", None, "offer")]
        await team.end()


async def test_addresses_that_are_not_everybodys_are_refused(tmp_path: Path):
    async with team_server(tmp_path, fetch={"allow_private_addresses": False}) as team:
        ada = await team.enter(user={"id": "ada"})
        await team.join(ada)
        conference(team, ada).participant("ada").negotiate(
            "offer", [StreamDescription(CAMERA, "camera", "ada", "0", "1")]
        )
        for url in ("http://127.0.0.1/whip", "http://[::1]/whip", "http://169.254.169.254/whip", "http://10.0.0.1/"):
            assert await push(team, url) == 400


async def test_participants_hear_nothing_of_it(team: Team, ada: dict[str, Any], target: Target, observer: Talker):
    guest = await team.join(await team.guest(ada))
    await push(team, target.url)
    await states(observer, "connecting")
    await guest.ask("ping")
    assert all(message["type"] != "forward_update" for message in guest.heard)
