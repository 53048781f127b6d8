"""The forwarding core: C behind a thin Cython face. `_native.pyi` documents it."""

from mediaserver.native._native import (
    ADDRESS_SIZE,
    FEEDBACK_RECORD,
    LEVEL_RECORD,
    Connection,
    Engine,
    EventKind,
    Sink,
    Track,
    address_from,
    address_text,
)

__all__ = [
    "ADDRESS_SIZE",
    "FEEDBACK_RECORD",
    "LEVEL_RECORD",
    "Connection",
    "Engine",
    "EventKind",
    "Sink",
    "Track",
    "address_from",
    "address_text",
]
