"""Session descriptions from `tests/vectors/sdp`, and an end of ours to answer them with."""

from pathlib import Path

from mediaserver.transport.negotiation import LocalTransport, Slot
from mediaserver.transport.sdp import Candidate, Fingerprint

VECTORS = Path(__file__).parent.parent / "vectors" / "sdp"
NAMES = sorted(path.stem for path in VECTORS.glob("*.sdp"))
OFFERS = [name for name in NAMES if name.endswith("-offer")]


def description(name: str) -> str:
    return (VECTORS / f"{name}.sdp").read_bytes().decode()


def local(ufrag: str = "ours", version: int = 1) -> LocalTransport:
    return LocalTransport(
        ufrag=ufrag,
        pwd="ourpasswordourpassword",
        fingerprint=Fingerprint("sha-256", ":".join(["AB"] * 32)),
        candidates=(
            Candidate("1", 1, "udp", 2130706431, "192.0.2.1", 7881),
            Candidate("2", 1, "tcp", 1671430143, "2001:db8::1", 7881, tcp_type="passive"),
        ),
        session_id=4711,
        version=version,
    )


def slots(pairs: int) -> list[Slot]:
    """Audio and video slots in turns, each pair of one stream."""
    return [
        Slot(
            mid=str(2 * pair + i),
            kind=kind,
            ssrc=1000 + 10 * pair + 2 * i,
            repair_ssrc=1001 + 10 * pair + 2 * i if kind == "video" else 0,
            cname=f"cname{pair}",
            msid=f"stream{pair} track{2 * pair + i}",
        )
        for pair in range(pairs)
        for i, kind in enumerate(("audio", "video"))
    ]
