"""Who is shown the streams of all, and who all of them in one picture: section 2.3 of the rooms contract."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mediaserver import View
from signaling.appkeys import MEDIA
from signaling.services.viewing import view_of
from tests.support.live import Talker
from tests.support.team import Team, team_server

S, C, W = View.STREAMS, View.COMPOSITE, View.WITH_SCREENS


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Team]:
    async with team_server(tmp_path) as team:
        yield team


@pytest.mark.parametrize(
    ("wish", "sfu_mode", "views"),
    [
        ("auto", "ptp", [S, S, C, C]),
        ("auto", "disabled", [C, C, C, C]),
        ("auto", "screencast", [W, W, W, W]),
        ("auto", None, [S, S, S, S]),
        ("streams", "ptp", [S, S, S, S]),
        ("streams", "disabled", [S, S, S, S]),
        ("one_view", "ptp", [C, C, C, C]),
        ("one_view", "screencast", [W, W, W, W]),
        ("one_view", None, [C, C, C, C]),
    ],
)
def test_the_view_by_wish_and_mode_and_number(wish: Any, sfu_mode: str | None, views: list[View]):
    assert [view_of(wish, sfu_mode, online) for online in range(1, 5)] == views


def media(team: Team, meeting: dict[str, Any]) -> Any:
    return team.client.app[MEDIA].conference(meeting["signaling"]["options"]["conf_id"])


async def join(team: Team, name: str, options: dict[str, str] | None = None, **fields: str) -> tuple[Any, Talker]:
    """Somebody in the meeting, and their socket."""
    meeting = await team.enter(name=name, user={"id": name}, **({"options": options} if options else {}))
    talker = await team.knock(access_key=meeting["access_key"])
    await talker.until("room_setup")
    await talker.join(**fields)
    return meeting, talker


async def test_two_see_each_others_streams_and_three_one_picture(team: Team):
    meeting, _ = await join(team, "ada")
    await join(team, "bob")
    conference = media(team, meeting)
    assert (conference.views, conference.one_view_on, conference.scenes) == ({}, False, [])
    _, carl = await join(team, "carl")
    assert conference.views == {"ada": C, "bob": C, "carl": C}
    assert conference.one_view_on
    assert [tile.name for tile in conference.scenes[-1].tiles] == ["ada", "bob", "carl"]
    await carl.send("leave")
    await carl.closed()
    assert {conference.views["ada"], conference.views["bob"]} == {S}
    assert not conference.one_view_on
    assert conference.scenes[-1] is None


async def test_who_chooses_gets_what_they_choose(team: Team):
    meeting, ada = await join(team, "ada", view="one_view")
    await join(team, "bob", view="streams")
    conference = media(team, meeting)
    assert (conference.views, conference.one_view_on) == ({"ada": C}, True)
    assert (await ada.ask("set_view", view="streams"))["type"] == "ok"
    assert (conference.views, conference.one_view_on) == ({"ada": S}, False)
    assert (await ada.ask("set_view", view="one_view"))["type"] == "ok"
    assert (conference.views["ada"], conference.one_view_on) == (C, True)
    assert (await ada.ask("set_view", view="auto"))["type"] == "ok"
    assert (conference.views["ada"], conference.one_view_on) == (S, False)


@pytest.mark.parametrize(("mode", "view"), [("disabled", C), ("screencast", W)])
async def test_the_mode_decides_for_those_who_leave_it_open(team: Team, mode: str, view: View):
    meeting, _ = await join(team, "ada", {"sfu_mode": mode})
    assert media(team, meeting).views == {"ada": view}


async def test_a_recording_goes_on_when_nobody_is_shown_the_picture_any_more(team: Team):
    meeting, ada = await join(team, "ada", view="one_view")
    assert await team.status("POST", f"/rooms/{meeting['access_key']}/recording") == 201
    await ada.ask("set_view", view="streams")
    conference = media(team, meeting)
    assert (conference.one_view_on, conference.scenes[-1] is None) == (False, False)


async def test_who_comes_back_may_have_another_wish(team: Team):
    meeting, first = await join(team, "ada", view="one_view")
    talker = await team.knock(access_key=meeting["access_key"])
    await talker.until("room_setup")
    await talker.join(view="streams")
    await first.closed()
    assert media(team, meeting).views == {"ada": S}
