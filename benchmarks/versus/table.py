"""The comparison as text. Pure."""

import math
from collections.abc import Sequence

from benchmarks.versus.row import Row

_AT_BROWSER_PACE = ("case", "server", "SRTP", "us a packet", "(least-most)", "x bare", "loss", "p50 ms", "p99 ms")
_BUSY = ("server busy", "loader busy")
_AT_MOST = ("most packets/s", "because", "us there", "x bare")
HEADS = (*_AT_BROWSER_PACE, *_BUSY, "KiB each", *_AT_MOST, *_BUSY, "p99 at half")
WORDS = 3  # columns of text, aligned left


def table(rows: Sequence[Row]) -> str:
    """One line a row, under a head."""
    lines = [HEADS, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADS))]
    return "\n".join(
        "  ".join(c.ljust(w) if i < WORDS else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    )


def cells(row: Row) -> tuple[str, ...]:
    return (
        row.case,
        row.target,
        row.cipher,
        number(row.us, 2),
        f"({number(row.us_min, 2)}-{number(row.us_max, 2)})",
        number(row.ratio, 2),
        percent(row.loss, 2),
        number(row.p50 * 1e3, 2),
        number(row.p99 * 1e3, 2),
        percent(row.server_busy),
        percent(row.generator_busy),
        number(row.memory / 1024, 0),
        number(row.highest, 0),
        {"packets are lost": "loss", "the load generator's limit": "loader", "held": "not sought"}.get(row.why, "-"),
        number(row.highest_us, 2),
        number(row.highest_ratio, 2),
        percent(row.highest_server_busy),
        percent(row.highest_generator_busy),
        number(row.half_p99 * 1e3, 2),
    )


def number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:,.{digits}f}"


def percent(value: float, digits: int = 0) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}%}"
