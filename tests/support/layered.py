"""A camera whose frames are made by hand, one after the other: temporal layers, and spatial ones in one stream."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mediaserver.rtp.codecs import CodecId
from tests.support import payloads
from tests.support.dependency import L1T3, L3T3, L3T3_KEY, Structure, descriptor
from tests.support.rtp_peer import Tag, write_tag
from tests.support.rtp_publisher import Layer
from tests.support.simulation import Simulation, Stage, camera

FRAME = 1 / 30  # seconds
PATTERN = (0, 2, 1, 2)  # temporal layers of four pictures
SIZES = [(320, 180), (640, 360), (1280, 720)]


@dataclass
class LayeredCamera:
    """Sends a picture whenever it is told to. `spatial`: layers in one stream; `key_mode`: they depend on lower ones in
    key pictures only."""

    sim: Simulation
    codec: CodecId
    spatial: int = 1
    key_mode: bool = False
    parts: int = 2
    sent: int = 0
    active: int | None = None  # decode targets that are told to be sent
    quiet: tuple[int, ...] = ()  # spatial layers that are not sent
    stage: Stage = field(init=False)
    layer: Layer = field(init=False)
    _frame: int = field(default=65530, init=False)
    _since_key: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.layer = camera(self.codec)
        self.stage = self.sim.publish([self.layer], start=False)

    @property
    def structure(self) -> Structure:
        if self.spatial == 1:
            return L1T3
        return L3T3_KEY if self.key_mode else L3T3

    def run(self, pictures: int) -> None:
        for _ in range(pictures):
            self.picture()
            self.sim.run(FRAME)

    def picture(self) -> None:
        """The next one; a key picture if one was asked for."""
        key, self.layer.wants_key = self.layer.wants_key, False
        self._since_key = 0 if key else self._since_key + 1
        temporal = PATTERN[self._since_key % len(PATTERN)]
        timestamp = round(self.sim.now * 90000) & 0xFFFFFFFF
        for spatial in range(self.spatial):
            if spatial not in self.quiet:
                self._layer_frame(temporal, spatial, key, timestamp)
        self.sent += 1
        self.layer.picture_id = (self.layer.picture_id + 1) & 0x7FFF

    def _layer_frame(self, temporal: int, spatial: int, key: bool, timestamp: int) -> None:
        for part in range(self.parts):
            last = part == self.parts - 1
            tag = Tag(spatial * 8 + temporal, self.sent, part, self.parts, key, self.sim.now)
            if self.codec in (CodecId.AV1, CodecId.H264_BASELINE):
                kind = spatial * 4 + (0 if key else temporal + 1)
                self.layer.descriptor = descriptor(
                    self.structure, kind, self._frame, start=part == 0, end=last,
                    with_structure=key and spatial == 0 and part == 0, active=self.active,
                )  # fmt: skip
            payload = self._payload(temporal, spatial, key, part) + bytes(300) + write_tag(tag)
            marker = last and spatial == self.spatial - 1
            self.stage.peer.send_packet(self.layer, payload, timestamp, self.sim.now, marker=marker)
        self._frame += 1

    def _payload(self, temporal: int, spatial: int, key: bool, part: int) -> bytes:
        start, number = part == 0, self.layer.picture_id
        match self.codec:
            case CodecId.VP8:
                frame = payloads.vp8_frame(keyframe=key) if start else b"\xff"
                return payloads.vp8_payload(
                    frame, start=start, picture_id=number, tl0=self.sent // 4 & 0xFF, temporal_id=temporal,
                    layer_sync=temporal == 1 or self._since_key % len(PATTERN) == 1,
                )  # fmt: skip
            case CodecId.VP9:
                return payloads.vp9_payload(
                    b"", start=start, end=part == self.parts - 1, inter=not key, picture_id=number,
                    layer=(temporal, spatial), switch_up=temporal == 1 or self._since_key % len(PATTERN) == 1,
                    tl0=self.sent // 4 & 0xFF, sizes=SIZES[: self.spatial] if key and start and spatial == 0 else None,
                )  # fmt: skip
            case CodecId.AV1:
                frame = payloads.obu(payloads.FRAME, b"")
                if not (key and start and spatial == 0):
                    return payloads.av1_payload(frame)
                header = payloads.obu(payloads.SEQUENCE_HEADER, payloads.sequence_header(1280, 720))
                return payloads.av1_payload(header, frame, new_sequence=True)
            case _:
                if key and start:
                    return payloads.sps(40, 23)
                return payloads.nal(payloads.SLICE, body=b"\x88" if start else b"\x08")


def layers_of(tags: Sequence[Tag]) -> list[tuple[int, int, int]]:
    """(picture, spatial, temporal) of frames, each once, as they came."""
    return list(dict.fromkeys((tag.frame, tag.source // 8, tag.source % 8) for tag in tags))
