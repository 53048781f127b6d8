"""A media worker's desk in a time of the test's own: people send packets, orders are given, what it tells is kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mediaserver.composition.desk import Desk, MakeProgram
from mediaserver.composition.outlets import MakePush
from mediaserver.composition.program import Program
from mediaserver.composition.scene import Scene, pack
from mediaserver.egress.output import Output
from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CODECS, CodecId
from mediaserver.rtp.packet import RtpPacket, write_packet
from tests.support.coded import clock_rate, parts

WALL = 1_700_000_000.0  # ahead of the monotonic clock
STEP = 0.01


class Sender:
    """One track of somebody, whose clock may be off and may drift."""

    def __init__(self, stream_id: str, codec: CodecId, ssrc: int, *, offset: float = 0.0, drift: float = 0.0) -> None:
        self.stream_id, self.codec, self.ssrc = stream_id, codec, ssrc
        self.offset, self.drift = offset, drift
        self.sequence = ssrc

    @property
    def kind(self) -> str:
        return CODECS[self.codec].kind

    def timestamp(self, at: float) -> int:
        return (self.ssrc * 1000 + round(at * (1 + self.drift) * clock_rate(self.codec))) & 0xFFFFFFFF

    def packets(self, data: bytes, at: float, *, key: bool = True) -> list[bytes]:
        payload_type, out = CODECS[self.codec].payload_type, []
        for payload, marker in parts(self.codec, data, key=key):
            packet = RtpPacket(payload_type, self.sequence & 0xFFFF, self.timestamp(at), self.ssrc, payload, marker)
            out.append(write_packet(packet))
            self.sequence += 1
        return out

    def report(self, at: float) -> bytes:
        ntp = int((at * (1 + self.drift) + self.offset + WALL + 2208988800.0) * 2**32) & (2**64 - 1)
        return rtcp.write_compound([rtcp.SenderReport(self.ssrc, ntp, self.timestamp(at), 0, 0)])


def nowhere(_order: dict[str, Any], _report: Any) -> Output:
    raise OSError("nothing leaves this room")


class Room:
    """The desk with everything around it; `now` moves with `run`."""

    def __init__(
        self,
        make_program: MakeProgram = Program,
        make_push: MakePush = nowhere,
        send: Callable[[bytes], None] | None = None,
    ) -> None:
        """`send` takes what the desk sends, if that is more than requests."""
        self.now = 1000.0
        self.told: list[dict[str, Any]] = []
        self.asked: list[rtcp.Packet] = []
        self.desk = Desk(
            WALL,
            1,
            send=send or (lambda data: self.asked.extend(rtcp.read_compound(data))),
            tell=self.told.append,
            make_program=make_program,
            make_push=make_push,
        )

    def feed(self, sender: Sender, use: str) -> None:
        self.desk.feed(
            {
                "ssrc": sender.ssrc,
                "use": use,
                "participant_id": sender.stream_id.split("-")[0],
                "stream_id": sender.stream_id,
                "label": "camera",
                "kind": sender.kind,
            }
        )

    def show(self, scene: Scene | None) -> None:
        self.desk.show({"scene": pack(scene) if scene else None}, self.now)

    def record(self, recording_id: str, path: Path, kind: str, *, resume: bool = False) -> None:
        order = {"id": recording_id, "path": str(path), "kind": kind, "resume": resume, "names": {}}
        self.desk.recordings.begin(order, self.now)

    def stop(self, recording_id: str, why: str = "stopped") -> dict[str, Any]:
        self.desk.stop(recording_id, self.now, why)
        return next(each for each in reversed(self.told) if each["did"] == "closed" and each["id"] == recording_id)

    def send(self, *datagrams: bytes) -> None:
        for data in datagrams:
            self.desk.datagram(data, self.now)

    def run(self, until: float) -> None:
        """Lets time pass."""
        while self.now < until - 1e-9:
            self.now = min(until, self.now + STEP)
            self.desk.advance(self.now)
            self.desk.tick(self.now)
