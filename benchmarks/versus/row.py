"""One line of the comparison: a case at a server. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import nan
from statistics import median as middle

from benchmarks.versus.bare import Floor
from benchmarks.versus.search import Verdict
from benchmarks.versus.window import Window, latency, loss_of_all, median, spread


@dataclass(frozen=True)
class Row:
    """Times in seconds, rates in packets forwarded a second; NaN: not measured."""

    case: str
    target: str
    cipher: str
    # at a browser's pace
    rate: float
    us: float
    us_min: float
    us_max: float
    floor_us: float
    """The bare loop's."""
    ratio: float
    """Of the two, the median of the pairs."""
    loss: float
    p50: float
    p99: float
    generator_us: float
    """Of the load generator's CPU per packet that arrived."""
    generator_busy: float
    server_busy: float
    memory: float
    """Bytes with each who receives."""
    # at the highest rate that holds
    highest: float = nan
    highest_fps: float = nan
    why: str = ""
    """Why no higher one does."""
    highest_us: float = nan
    highest_floor_us: float = nan
    highest_ratio: float = nan
    highest_generator_busy: float = nan
    highest_server_busy: float = nan
    half_p50: float = nan
    """At half of the highest."""
    half_p99: float = nan

    def stored(self) -> dict[str, object]:
        """As JSON takes it: NaN is None."""
        return {name: None if value != value else value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Highest:
    """What was seen at the highest rate and at half of it."""

    fps: float
    why: Verdict
    windows: Sequence[Window]
    floors: Sequence[Floor]
    half: Sequence[Window]


def row(
    case: str,
    target: str,
    cipher: str,
    windows: Sequence[Window],
    floors: Sequence[Floor],
    memory: float,
    highest: Highest | None,
) -> Row:
    us_min, us_max = spread(windows, us)
    base = Row(
        case=case,
        target=target,
        cipher=cipher,
        rate=median(windows, rate),
        us=median(windows, us),
        us_min=us_min,
        us_max=us_max,
        floor_us=middle(floor.us for floor in floors),
        ratio=paired(windows, floors),
        loss=loss_of_all(windows),
        p50=median(windows, latency(0.5)),
        p99=median(windows, latency(0.99)),
        generator_us=median(windows, lambda w: w.generator_us),
        generator_busy=median(windows, lambda w: w.generator_busy),
        server_busy=median(windows, lambda w: w.server_busy),
        memory=memory,
    )
    return with_highest(base, highest) if highest else base


def with_highest(base: Row, highest: Highest) -> Row:
    windows = highest.windows
    return Row(
        **asdict(base)
        | {
            "highest": median(windows, rate),
            "highest_fps": highest.fps,
            "why": highest.why.value,
            "highest_us": median(windows, us),
            "highest_floor_us": middle(floor.us for floor in highest.floors),
            "highest_ratio": paired(windows, highest.floors),
            "highest_generator_busy": median(windows, lambda w: w.generator_busy),
            "highest_server_busy": median(windows, lambda w: w.server_busy),
            "half_p50": median(highest.half, latency(0.5)),
            "half_p99": median(highest.half, latency(0.99)),
        }
    )


def paired(windows: Sequence[Window], floors: Sequence[Floor]) -> float:
    """Our cost as multiples of the floor's measured right after: what slows the machine down slows both."""
    return middle(window.us / floor.us for window, floor in zip(windows, floors, strict=True))


def us(window: Window) -> float:
    return window.us


def rate(window: Window) -> float:
    return window.rate
