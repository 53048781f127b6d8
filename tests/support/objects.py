"""Which objects are alive: for tests that nothing waits for a garbage collection."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


def alive(*types: type) -> Counter[str]:
    """How many instances of each there are."""
    return Counter(type(each).__name__ for each in gc.get_objects() if type(each) in types)


@contextmanager
def without_collections() -> Iterator[None]:
    """What is in a cycle stays."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
