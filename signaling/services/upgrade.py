"""Whether somebody finds a seat, and when a MESH conference moves to the server for it. Pure.

It moves with the join that makes the number of people online reach the count it was given, or, if it was given one,
with the join for which it has no seat as a MESH. It never goes back. Realtime contract, section 5.
"""

from enum import Enum

STRAGGLERS = 10.0  # seconds after the move for which participants may still answer each other directly


class Seat(Enum):
    FREE = "free"
    AFTER_UPGRADE = "after upgrade"
    NONE = "none"


def seat_for_newcomer(online: int, limit: int, upgrade_count: int | None, limit_after: int) -> Seat:
    """What there is for one more than the `online`; `upgrade_count` None: the conference stays what it is.

    `limit` is that of now, `limit_after` that of the server.
    """
    if upgrade_count is None:
        return Seat.FREE if online < limit else Seat.NONE
    if online + 1 < upgrade_count and online < limit:
        return Seat.FREE
    return Seat.AFTER_UPGRADE if online < limit_after else Seat.NONE
