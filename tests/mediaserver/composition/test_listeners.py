"""Who hears a program without themselves: content of what is encoded for each, and its packets."""

import numpy as np

from mediaserver.composition.composer import Composer
from mediaserver.composition.listeners import Listeners
from mediaserver.composition.scene import Scene
from mediaserver.egress.one_view import Outgoing
from mediaserver.egress.output import EncodedFrame
from mediaserver.media.codecs import AudioDecoder
from mediaserver.rtp import rtcp
from mediaserver.rtp.codecs import CodecId
from mediaserver.rtp.packet import read_packet

PITCHES = {"a": 400.0, "b": 1000.0, "c": 2000.0}
BLOCKS = 50


def loud(sound: np.ndarray, pitch: float) -> bool:
    spectrum = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound))))
    at = round(pitch * len(sound) / 48_000)
    return bool(spectrum[at - 3 : at + 4].max() > 0.1 * spectrum.max())


def test_each_hears_all_but_themselves() -> None:
    composer = Composer(Scene(320, 180))
    listeners = Listeners(composer)
    heard: dict[str, list[EncodedFrame]] = {"a": [], "both": [], "gone": []}
    listeners.add("a", frozenset({"a"}), heard["a"].append)
    listeners.add("both", frozenset({"b", "c"}), heard["both"].append)
    listeners.add("gone", frozenset({"a"}), heard["gone"].append)
    listeners.remove("gone")
    listeners.remove("gone")
    times = np.arange(48_000) / 48_000
    for name, pitch in PITCHES.items():
        wave = (0.2 * np.sin(2 * np.pi * pitch * times)).astype(np.float32)
        composer.sound(name, np.stack([wave, wave], axis=1), 0.0)
    for block in range(BLOCKS):
        listeners.mix(block * 0.02)
    decoded = {}
    for name in ("a", "both"):
        decoder = AudioDecoder()
        decoded[name] = np.concatenate([decoder.decode(frame.data) for frame in heard[name]])[9600:]
    assert [loud(decoded["a"], pitch) for pitch in PITCHES.values()] == [False, True, True]
    assert [loud(decoded["both"], pitch) for pitch in PITCHES.values()] == [True, False, False]
    assert heard["gone"] == []


def test_what_one_hears_is_a_stream_with_reports() -> None:
    sent: list[bytes] = []
    ear = Outgoing(CodecId.OPUS, 77, 1_700_000_000.0, sent.append)
    for block in range(60):
        ear.put(EncodedFrame(b"sound", 10.0 + block * 0.02, True, 0.02))
    reports = [rtcp.read_compound(data)[0] for data in sent if 192 <= data[1] < 224]
    packets = [read_packet(data) for data in sent if not 192 <= data[1] < 224]
    assert {packet.ssrc for packet in packets} == {77}
    assert np.diff([packet.timestamp for packet in packets]).tolist() == [960] * 59
    assert len(reports) == 2
