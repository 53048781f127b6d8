"""The comparison as a picture: CPU per packet and the highest rate, by case and server."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.versus.row import Row

COLOURS = ("#1565c0", "#c62828", "#ef9a9a", "#6a1b9a", "#757575")
FLOOR = "bare sendto loop"
FLOOR_COLOUR = "#bdbdbd"


def plot(rows: Sequence[Row], conditions: str, path: Path) -> None:
    """Writes a PNG."""
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    with_floor = {**_by_target(rows, lambda row: row.us), FLOOR: _floors(rows)}
    _grouped(left, rows, with_floor, "CPU per forwarded packet, us (25 pictures a second)", "{:.1f}")
    _grouped(right, rows, _by_target(rows, lambda row: row.highest / 1e3), "highest rate, 1,000 packets/s", "{:.0f}")
    left.set_ylim(top=1.25 * left.get_ylim()[1])  # room for the legend
    left.legend(frameon=False, fontsize=8, loc="upper left", ncols=2)
    figure.supxlabel(conditions, fontsize=7)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=110)


def _by_target(rows: Sequence[Row], value: Callable[[Row], float]) -> dict[str, dict[str, float]]:
    """Value by case, by target."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row.target, {})[row.case] = value(row)
    return found


def _floors(rows: Sequence[Row]) -> dict[str, float]:
    """The first server's in each case: each server was measured beside a floor of its own."""
    found: dict[str, float] = {}
    for row in rows:
        found.setdefault(row.case, row.floor_us)
    return found


def _grouped(axes: Axes, rows: Sequence[Row], series: dict[str, dict[str, float]], title: str, label: str) -> None:
    cases = list(dict.fromkeys(row.case for row in rows))
    width = 0.8 / len(series)
    colours = dict(zip((name for name in series if name != FLOOR), COLOURS, strict=False)) | {FLOOR: FLOOR_COLOUR}
    for index, (name, values) in enumerate(series.items()):
        at = [i - 0.4 + width * (index + 0.5) for i in range(len(cases))]
        heights = [0.0 if math.isnan(v := values.get(case, math.nan)) else v for case in cases]
        drawn = axes.bar(at, heights, width * 0.92, label=name, color=colours[name])
        axes.bar_label(drawn, [label.format(h) if h else "" for h in heights], fontsize=6, padding=1)
    axes.set_xticks(range(len(cases)), cases, fontsize=8)
    axes.set_title(title, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
