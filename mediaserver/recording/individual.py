"""A recording of every track by itself, as it was sent: one file per track, and an index that puts them together.

A file begins with its track's first frame (of a picture: a key frame). A track that changes its codec goes on in
another file. Where nothing is sent (muted, silent, lost) its file has a gap of that length.
"""

from dataclasses import dataclass

from mediaserver.errors import MalformedPacket
from mediaserver.media.depacketize import CodedFrame
from mediaserver.media.headers import codec_private, opus_head, picture_size
from mediaserver.recording.recorder import Files
from mediaserver.recording.webm import TrackHeader, extension
from mediaserver.rtp.codecs import CODECS, CodecId

MAX_FILES = 10_000  # of one recording


@dataclass(frozen=True, slots=True)
class TrackLabel:
    """Whose track it is, for the index."""

    participant_id: str
    stream_id: str
    label: str
    kind: str


class IndividualRecording:
    def __init__(self, files: Files) -> None:
        self._files = files
        lines = files.folder.lines
        self._codecs: dict[str, CodecId] = {}
        self._count = 0
        for line in lines:
            if line["event"] == "file":
                self._count += 1
                self._codecs[str(line["key"])] = CodecId[str(line["codec_id"])]

    def frame(self, key: str, about: TrackLabel, codec: CodecId, frame: CodedFrame, at: float) -> bool:
        """A frame of a track; False if a key frame is needed before anything can be kept. OSError: no room."""
        if not self._files.has(key) or self._codecs.get(key) is not codec:
            if not frame.key or self._count >= MAX_FILES:
                return False
            try:
                header = _header(codec, frame.data)
            except (MalformedPacket, IndexError):
                return False
            self._begin(key, about, codec, header, at)
        self._files.write(key, 0, at, frame.data, key_frame=frame.key)
        return True

    def ended(self, key: str) -> None:
        """The track is over."""
        self._files.end(key)

    def _begin(self, key: str, about: TrackLabel, codec: CodecId, header: TrackHeader, at: float) -> None:
        self._count += 1
        self._codecs[key] = codec
        name = f"{self._count:04}-{about.label}-{about.kind}.{extension(codec)}"
        self._files.begin(
            key,
            name,
            at,
            [header],
            participant_id=about.participant_id,
            stream_id=about.stream_id,
            label=about.label,
            kind=about.kind,
            codec=CODECS[codec].name,
            codec_id=codec.name,
        )


def _header(codec: CodecId, data: bytes) -> TrackHeader:
    if codec is CodecId.OPUS:
        return TrackHeader(codec, opus_head())
    width, height = picture_size(codec, data)
    return TrackHeader(codec, codec_private(codec, data), width, height)
