"""Rows of results, and how they are told: a table for people, plain figures to keep."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

from benchmarks.impaired.cases import Case
from benchmarks.impaired.judge import Notes, Seen, seen

BAR_USED, BAR_FREEZE, BAR_DROP, BAR_CLIMB, BAR_CONCEALED = 0.8, 0.5, 1.0, 15.0, 0.05
HEAD = (
    "who is on the line", "line", "picture", "kbit/s", "of usable", "longest freeze", "at the change",
    "layer reached", "sound made up", "good line: picture, freeze",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One step of a case."""

    who: str
    case: str
    step: int
    seen: Seen
    good: Seen | None
    """What somebody on a good line saw meanwhile of a camera on a good line."""

    @classmethod
    def of_watcher(cls, case: Case, began: float, notes: Notes, sent: Notes, other: Notes) -> list[Self]:
        mine = seen(case, began, notes, sent, behind=True)
        both = zip(mine, seen(case, began, other, sent, behind=True), strict=True)
        return [cls("who watches", case.name, number, one, good) for number, (one, good) in enumerate(both)]

    @classmethod
    def of_camera(cls, case: Case, began: float, notes: Notes, sent: Notes) -> list[Self]:
        steps = seen(case, began, notes, sent, behind=False)
        return [cls("the camera", case.name, number, one, None) for number, one in enumerate(steps)]

    def told(self) -> dict[str, object]:
        good = asdict(self.good) if self.good else None
        return {"who": self.who, "case": self.case, "step": self.step, **asdict(self.seen), "good": good}

    def cells(self) -> tuple[str, ...]:
        one, good = self.seen, self.good
        return (
            self.who,
            self.case + (f" ({self.step + 1})" if self.step else ""),
            f"{one.width} px, {one.fps:.0f} fps",
            f"{one.received_bps / 1000:.0f} of {one.usable_bps / 1000:.0f}",
            _mark(f"{one.used:.0%}", one.used >= BAR_USED),
            _mark(f"{one.freeze:.2f} s", one.freeze <= BAR_FREEZE),
            _mark(f"{one.freeze_at_change:.2f} s", one.freeze_at_change <= BAR_DROP) if self.step else "",
            _mark("never" if one.climbed is None else f"{one.climbed:.1f} s", (one.climbed or 99) <= BAR_CLIMB),
            _mark(f"{one.concealed:.1%}", one.concealed <= BAR_CONCEALED),
            f"{good.width} px, {good.freeze:.2f} s" if good else "",
        )


def _mark(text: str, met: bool) -> str:
    return text if met else f"**{text}**"


def markdown(rows: Sequence[Row]) -> str:
    """Markdown; what misses a bar is bold."""
    lines = [HEAD, ("---",) * len(HEAD), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
