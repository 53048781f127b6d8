"""People in real browsers see and hear each other: what arrives is compared with what each of them shows and says."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.end_to_end.meeting import Meeting, Person, everybody_meets
from tests.support.browsers import FirefoxPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TWO_LAYERS = {"width": 480, "height": 270}


@pytest.mark.parametrize("simulcast", [False, True], ids=["plain", "simulcast"])
@pytest.mark.parametrize("codec", ["vp8", "vp9", "av1"])
async def test_three_chromiums_and_a_firefox_see_and_hear_each_other(
    meeting: Meeting, firefox: FirefoxPage, codec: str, simulcast: bool
) -> None:
    people = await asyncio.gather(*(meeting.join(number) for number in (1, 2, 3)), meeting.join(4, firefox))
    await _show_themselves(people, codec, simulcast)


@pytest.mark.parametrize("simulcast", [False, True], ids=["plain", "simulcast"])
async def test_three_chromiums_see_and_hear_each_other_in_h264(meeting: Meeting, simulcast: bool) -> None:
    people = await asyncio.gather(*(meeting.join(number) for number in (1, 2, 3)))
    await _show_themselves(people, "h264", simulcast)


async def _show_themselves(people: Sequence[Person], codec: str, simulcast: bool) -> None:
    size = TWO_LAYERS if simulcast else {}
    await asyncio.gather(*(person.publish(codec=codec, simulcast=simulcast, **size) for person in people))
    await everybody_meets(*people)
    for person in people:
        pictures = await person.call("pictures")
        assert {picture["codec"] for picture in pictures.values()} == {codec}
        assert (pictures[person.id]["layers"] > 1) == simulcast
