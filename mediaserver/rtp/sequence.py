"""Numbers that wrap: RTP sequence numbers (16 bits) and timestamps (32 bits).

Of two numbers the newer one is less than half the range ahead of the other (RFC 1982 section 3.2, RFC 3550 appendix
A.1). What is exactly half the range away is neither: `seq_newer` is false both ways.
"""

SEQUENCE_BITS = 16
TIMESTAMP_BITS = 32


def wrapped_diff(a: int, b: int, bits: int) -> int:
    """How far `a` is ahead of `b`, from -2**(bits-1) to 2**(bits-1) - 1."""
    half = 1 << (bits - 1)
    return ((a - b + half) & ((1 << bits) - 1)) - half


def seq_diff(a: int, b: int) -> int:
    """How many packets `a` is ahead of `b`; negative if behind."""
    return wrapped_diff(a, b, SEQUENCE_BITS)


def seq_newer(a: int, b: int) -> bool:
    """Whether sequence number `a` was sent after `b`."""
    return seq_diff(a, b) > 0


def seq_add(seq: int, count: int) -> int:
    """The sequence number `count` packets after `seq`."""
    return (seq + count) & 0xFFFF


def timestamp_diff(a: int, b: int) -> int:
    """How many ticks `a` is after `b`; negative if before."""
    return wrapped_diff(a, b, TIMESTAMP_BITS)


def unwrap(number: int, near: int, bits: int = SEQUENCE_BITS) -> int:
    """The count nearest to `near` whose low bits are `number`: what `number` was before it wrapped.

    Below 0 when `number` was sent before the count began.
    """
    return near + wrapped_diff(number, near, bits)
