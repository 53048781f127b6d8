"""How a participant's bandwidth is shared among what it receives.

Pure. Sound first, whatever it costs. Then by priority; among equals everybody's smallest picture (screens first), then
better screens, then better cameras, the smaller ones first, so that all grow evenly. What does not fit is lowered, and
paused as the last step. `allocate` says what fits a budget; `Allocator` follows a budget over time: it lowers at once,
and raises with reserve, patience and memory, so that nothing flaps. Which layers there are is told by `layers.py`,
what may be spent by `congestion.py`.
"""

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from mediaserver.rtp.layers import Layer

USUAL_PRIORITY = 128  # where a wish says nothing
RESERVE = 0.92  # of the budget is used when raising
LOWEST_OF = 2.0  # seconds: raised is what fits the least budget of late
BETWEEN = 0.4  # seconds between two raises,
GENTLE = 0.25  # of the budget, each at most, or one step: each begins with a key frame
HOLD = 2.0  # seconds after a lowering before something is raised; doubled, unless nothing is shown,
MAX_HOLD = 30.0  # up to this, while raises
PROVED = 10.0  # do not last so many seconds;
CLEAR = 1.5  # times what did not last is there: no reason to hold anything


class Reason(Enum):
    """Why nothing better is received."""

    WISH = "wish"
    BANDWIDTH = "bandwidth"
    PUBLISHER = "publisher"
    SPEAKERS = "speakers"


@dataclass(frozen=True, slots=True)
class Request:
    """A picture that is wanted. `layers`: what there is, the cheapest first, each better and dearer than the last."""

    key: Hashable
    layers: tuple[Layer, ...]
    screen: bool = False
    priority: int = USUAL_PRIORITY
    max_width: int | None = None
    max_height: int | None = None
    max_fps: float | None = None
    held: bool = False
    """Not to be sent now, whatever fits: others have spoken later."""

    def wished(self) -> tuple[Layer, ...]:
        """Those no larger than wished; the cheapest one if all are larger.

        Of a size only the most frames that are wished, but of the smallest size all: a large picture that jerks is
        worse than a smaller one.
        """
        if self.held:
            return ()
        fitting = [layer for layer in self.layers if self._fits(layer)]
        smoothest = {layer.spatial: layer for layer in fitting}
        kept = tuple(
            layer for layer in fitting if layer.spatial == fitting[0].spatial or layer is smoothest[layer.spatial]
        )
        return kept or self.layers[:1]

    def _fits(self, layer: Layer) -> bool:
        return not (
            (self.max_width is not None and layer.width > self.max_width)
            or (self.max_height is not None and layer.height > self.max_height)
            or (self.max_fps is not None and layer.fps > self.max_fps)
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """`layer` None: paused."""

    layer: Layer | None
    reason: Reason

    @property
    def rate_bps(self) -> float:
        return self.layer.rate_bps if self.layer else 0.0


Allocation = dict[Hashable, Choice]

PAUSED = 0


@dataclass(slots=True)
class _Shares:
    """Requests, and in which order they grow by a step each. A level is a number of steps; 0 is paused."""

    requests: tuple[Request, ...]
    wished: list[tuple[Layer, ...]] = field(init=False)
    steps: list[tuple[int, int]] = field(init=False)
    """(number of the request, level that it reaches), the most important first."""
    best: list[int] = field(init=False)
    """The levels at which everything is as wished."""
    best_bps: float = field(init=False)
    """What that costs."""

    def __post_init__(self) -> None:
        self.wished = [request.wished() for request in self.requests]
        ranked = [
            (_rank(request, layer, level), n, level + 1)
            for n, request in enumerate(self.requests)
            for level, layer in enumerate(self.wished[n])
        ]
        self.steps = [(n, level) for _, n, level in sorted(ranked)]
        self.best = [len(layers) for layers in self.wished]
        self.best_bps = self.cost(self.best)

    def fit(self, budget_bps: float) -> list[int]:
        """The levels that fit: each step is taken if there is room for it, and for all before it in its picture."""
        levels = [PAUSED] * len(self.requests)
        for n, level in self.steps:
            if levels[n] != level - 1:
                continue
            layers = self.wished[n]
            more = layers[level - 1].rate_bps - (layers[level - 2].rate_bps if level > 1 else 0.0)
            if more <= budget_bps:
                budget_bps -= more
                levels[n] = level
        return levels

    def cost(self, levels: Sequence[int]) -> float:
        return sum(self.wished[n][level - 1].rate_bps for n, level in enumerate(levels) if level)

    def next_step(self, levels: Sequence[int]) -> float | None:
        """What the cheapest of the next steps costs."""
        return min(
            (
                layers[level].rate_bps - (layers[level - 1].rate_bps if level else 0.0)
                for layers, level in zip(self.wished, levels, strict=True)
                if level < len(layers)
            ),
            default=None,
        )

    def better(self, levels: Sequence[int], than: Sequence[int]) -> bool:
        """Whether the most important difference is for the better."""
        return next(
            (levels[n] >= level for n, level in self.steps if (levels[n] >= level) != (than[n] >= level)), False
        )

    def towards(self, levels: Sequence[int], now: Sequence[int], more_bps: float) -> list[int]:
        """From `now` in the direction of `levels`, for at most so much more, but a step at least."""
        moved = [min(pair) for pair in zip(levels, now, strict=True)]
        limit = self.cost(now) + more_bps
        for n, level in self.steps:
            if not levels[n] >= level > moved[n]:
                continue
            further = [*moved]
            further[n] = level
            if self.better(moved, now) and self.cost(further) > limit:
                break
            moved = further
        return moved

    def chosen(self, levels: Sequence[int]) -> Allocation:
        return {
            request.key: self._choice(request, wished, level)
            for request, wished, level in zip(self.requests, self.wished, levels, strict=True)
        }

    @staticmethod
    def _choice(request: Request, wished: tuple[Layer, ...], level: int) -> Choice:
        layer = wished[level - 1] if level else None
        if request.held:
            return Choice(None, Reason.SPEAKERS)
        if not request.layers:
            return Choice(None, Reason.PUBLISHER)
        if level < len(wished):
            return Choice(layer, Reason.BANDWIDTH)
        return Choice(layer, Reason.WISH if len(wished) < len(request.layers) else Reason.PUBLISHER)


def _rank(request: Request, layer: Layer, level: int) -> tuple[int, bool, bool, int, float, int]:
    """The smaller, the sooner."""
    return (-request.priority, level > 0, not request.screen, layer.height, layer.fps, level)


def allocate(budget_bps: float, sound_bps: float, requests: Sequence[Request]) -> Allocation:
    """What fits into the budget beside the sound."""
    shares = _Shares(tuple(requests))
    return shares.chosen(shares.fit(budget_bps - sound_bps))


@dataclass(slots=True)
class Allocator:
    """Of one participant. `allocation` is what it should receive now."""

    allocation: Allocation = field(default_factory=dict)
    _shares: _Shares = field(default_factory=lambda: _Shares(()))
    _levels: list[int] = field(default_factory=list)
    _pictures_bps: float = 0.0
    """What these cost."""
    _sound_bps: float = 0.0
    _budgets: deque[tuple[float, float]] = field(default_factory=deque)
    _raised: float | None = None
    _lowered: float | None = None
    _hold: float = HOLD
    _failed_bps: float = 0.0

    def request(self, requests: Sequence[Request], sound_bps: float, budget_bps: float, now: float) -> Allocation:
        """What is wanted, or what it costs, has changed. Levels stay if only costs have."""
        self._sound_bps = sound_bps
        before = self._shares
        if before.requests == tuple(requests):
            return self.update(budget_bps, now)
        self._shares = _Shares(tuple(requests))
        if _shape(before.requests) != _shape(self._shares.requests):
            self._take(self._shares.fit(RESERVE * budget_bps - sound_bps))
            return self.allocation
        self._take(self._levels)
        return self.update(budget_bps, now)

    def update(self, budget_bps: float, now: float) -> Allocation:
        """The budget is this now."""
        least = self._least(budget_bps, now)
        if self.cost_bps > max(budget_bps, self._sound_bps):
            self._lower(budget_bps, now)
        elif self._levels != self._shares.best and self._may_raise(least, now):
            levels = self._shares.fit(RESERVE * least - self._sound_bps)
            if self._shares.better(levels, self._levels):
                self._raised = now
                self._take(self._shares.towards(levels, self._levels, GENTLE * budget_bps))
        return self.allocation

    @property
    def cost_bps(self) -> float:
        """Of what is received, sound included."""
        return self._sound_bps + self._pictures_bps

    @property
    def next_bps(self) -> float | None:
        """What would have to be there for something to be better; None: everything is as good as is wished."""
        more = self._shares.next_step(self._levels)
        return None if more is None else (self.cost_bps + more) / RESERVE

    @property
    def wanted_bps(self) -> float:
        """What everything that is wished would cost, with the reserve that raising needs."""
        return (self._sound_bps + self._shares.best_bps) / RESERVE

    def _lower(self, budget_bps: float, now: float) -> None:
        if self._raised is not None and now - self._raised < PROVED:
            self._hold = min(2 * self._hold, MAX_HOLD)
        elif self._lowered is None or now - self._lowered > PROVED:
            self._hold = HOLD
        self._lowered, self._failed_bps = now, self.cost_bps
        self._take(self._shares.fit(budget_bps - self._sound_bps))

    def _may_raise(self, least_bps: float, now: float) -> bool:
        hold = self._hold if any(self._levels) else HOLD
        held = self._lowered is not None and now - self._lowered < hold and least_bps < CLEAR * self._failed_bps
        return not held and (self._raised is None or now - self._raised >= BETWEEN)

    def _least(self, budget_bps: float, now: float) -> float:
        """The least budget of late; the one there is while nothing had to be lowered, or nothing is shown."""
        budgets = self._budgets
        while budgets and (budgets[-1][1] >= budget_bps):
            budgets.pop()
        budgets.append((now, budget_bps))
        while budgets[0][0] < now - LOWEST_OF:
            budgets.popleft()
        return budget_bps if self._lowered is None or not any(self._levels) else budgets[0][1]

    def _take(self, levels: Sequence[int]) -> None:
        self._levels = list(levels)
        self._pictures_bps = self._shares.cost(levels)
        self.allocation = self._shares.chosen(levels)


def _shape(requests: Sequence[Request]) -> list[tuple[object, ...]]:
    """Of requests, all but what layers cost."""
    return [(*_wish(r), [(layer.spatial, layer.temporal) for layer in r.layers]) for r in requests]


def _wish(r: Request) -> tuple[object, ...]:
    return r.key, r.screen, r.priority, r.max_width, r.max_height, r.max_fps, r.held
