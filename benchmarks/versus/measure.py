"""The measurements of one case at one server, in order: a browser's pace, the highest rate that holds, half of it."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.versus.bare import Floor
from benchmarks.versus.cases import BROWSER, Case, Pace
from benchmarks.versus.row import Highest, Row, row
from benchmarks.versus.search import RateSearch, Verdict
from benchmarks.versus.target import Target
from benchmarks.versus.venue import Venue
from benchmarks.versus.window import Window

MAX_FPS, MIN_FPS = 20000.0, 2.0
SAMPLE = 16  # while the rate is searched, one packet in so many is decrypted, or the generator would be the limit
TRIES = 3  # of a rate, until it holds

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How long and how often."""

    window: float = 3.0  # seconds
    repeats: int = 5
    step: float = 1.5  # seconds of a rate that is tried
    precision: float = 0.06
    highest: bool = True


async def measured(target: Target, case: Case, effort: Effort, tell: Tell) -> Row:
    def say(text: str) -> None:
        tell(f"{case.name}, {target.name}: {text}")

    say("joining")
    async with Venue(target, case) as venue:
        await venue.pace(BROWSER)
        say("at a browser's pace")
        await venue.window(effort.step)  # warms up
        windows, floors = await in_turn(venue, effort.window, effort.repeats)
        memory, cipher = venue.memory(), venue.cipher
        highest = await limit_of(venue, effort, say) if effort.highest else None
    return row(case.name, target.name, cipher, windows, floors, memory, highest)


async def in_turn(venue: Venue, seconds: float, repeats: int) -> tuple[list[Window], list[Floor]]:
    """Windows of the server's and the bare loop's, one after the other."""
    windows, floors = [], []
    for _ in range(repeats):
        windows.append(await venue.window(seconds))
        floors.append(await venue.floor(seconds))
    return windows, floors


async def limit_of(venue: Venue, effort: Effort, tell: Tell) -> Highest | None:
    """None if no rate holds."""
    venue.sample(SAMPLE)
    search = RateSearch(BROWSER.fps, ceiling=MAX_FPS, floor=MIN_FPS, precision=effort.precision)
    while not search.done:
        tell(f"trying {venue.case.rate(Pace(search.rate, BROWSER.packets)):,.0f} packets/s")
        search.tell(await verdict_at(venue, search.rate, effort.step))
    if not search.held:
        return None
    tell("at the highest rate that held")
    await venue.pace(Pace(search.held, BROWSER.packets))
    windows, floors = await in_turn(venue, effort.step, effort.repeats)
    await venue.rest()
    tell("at half of that")
    await venue.pace(Pace(search.held / 2, BROWSER.packets))
    half = [await venue.window(effort.step) for _ in range(effort.repeats)]
    return Highest(search.held, search.why, windows, floors, half)


async def verdict_at(venue: Venue, fps: float, seconds: float) -> Verdict:
    """A rate fails if it fails each time: once or twice may be the machine's other work."""
    await venue.pace(Pace(fps, BROWSER.packets))
    verdicts: list[Verdict] = []
    for _ in range(TRIES):
        verdict = (await venue.window(seconds)).verdict
        if verdict is Verdict.HELD:
            return verdict
        verdicts.append(verdict)
        await venue.rest()
    return Verdict.LOST if Verdict.LOST in verdicts else Verdict.GENERATOR
