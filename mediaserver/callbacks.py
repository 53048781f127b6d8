"""Callbacks from what is owned to its owner, which would otherwise keep both alive until a garbage collection.

Owners point down; what goes up is called through `weakly`. So whatever leaves a conference is gone at once, in any
order, and nothing has to be torn apart by hand.
"""

from collections.abc import Callable
from typing import Generic, ParamSpec
from weakref import WeakMethod

P = ParamSpec("P")


class weakly(Generic[P]):
    """Calls the bound `method` as long as its object is alive, and does not keep it alive."""

    __slots__ = ("_reference",)

    def __init__(self, method: Callable[P, None]) -> None:
        self._reference = WeakMethod(method)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        method = self._reference()
        if method is not None:
            method(*args, **kwargs)
