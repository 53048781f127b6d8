"""The composite as a program: decodes what is shown and heard, has it drawn and mixed, and encoded for its outputs.

Pure of processes, sockets and clocks; runs in the media worker, which asks it to `advance`. Its time lags behind ours
by `DELAY`, so that what belongs together has come. When there is not enough time for every picture some are left out;
the sound never has a gap.
"""

from collections.abc import Callable, Iterable

from mediaserver.composition.composer import Composer
from mediaserver.composition.encoding import Encoding
from mediaserver.composition.films import Film
from mediaserver.composition.listeners import Listeners
from mediaserver.composition.playbacks import Playbacks
from mediaserver.composition.scene import Scene
from mediaserver.composition.screenings import Screenings
from mediaserver.egress.output import Coding, Output
from mediaserver.egress.snapshot import jpeg
from mediaserver.errors import MalformedPacket
from mediaserver.media.codecs import AudioDecoder, VideoDecoder
from mediaserver.media.depacketize import CodedFrame
from mediaserver.media.mixing import Sound
from mediaserver.recording.individual import TrackLabel
from mediaserver.rtp.codecs import CodecId

DELAY = 0.3  # seconds: jitter, the wait for what is repeated, and a frame
FPS = 30
BLOCK = 0.02  # seconds of sound
LATE = 0.2  # seconds behind its time: pictures are left out until it has caught up
LOST_TRACK = 2.0  # seconds behind: the process stood still; the program goes on with the present
CONCEALED = 0.1  # seconds of sound that are made up for what is missing


class Program:
    """`on_key_wanted` is called with the track that cannot be shown without one."""

    def __init__(self, scene: Scene, now: float, on_key_wanted: Callable[[TrackLabel], None]) -> None:
        self._composer = Composer(scene)
        self._playbacks = Playbacks(self._composer)
        self.listeners = Listeners(self._composer)
        """Who hears it without themselves."""
        self.screenings = Screenings(self._composer, FPS)
        """Films for those who do not see it."""
        self._on_key_wanted = on_key_wanted
        self._pictures: dict[str, tuple[CodecId, VideoDecoder]] = {}
        self._sounds: dict[str, _Sound] = {}
        self._encodings = {coding: Encoding(coding, FPS) for coding in Coding}
        self._began = now - DELAY
        self._frames = self._blocks = 0

    # what is shown

    def show(self, scene: Scene) -> None:
        self._composer.show(scene)

    def frame(self, track: TrackLabel, codec: CodecId, frame: CodedFrame, at: float) -> None:
        """A coded frame of a track. What cannot be decoded is left out."""
        try:
            if track.kind == "audio":
                self._hear(track.stream_id, frame, at)
            else:
                self._see(track.stream_id, codec, frame, at)
        except MalformedPacket:
            if track.kind == "video":
                self._pictures.pop(track.stream_id, None)
                self._on_key_wanted(track)

    def ended(self, track: TrackLabel) -> None:
        if track.kind == "video":
            self._pictures.pop(track.stream_id, None)
            self._composer.blank(track.stream_id)
        else:
            self._sounds.pop(track.stream_id, None)
            self._composer.remove(track.stream_id)

    def muted(self, stream_id: str, kind: str, muted: bool) -> None:
        if muted and kind == "video":
            self._composer.blank(stream_id)

    def play(self, film: Film, on_begun: Callable[[bool], None], on_over: Callable[[str], None]) -> None:
        """A film from now on, as a source; see `Playbacks`."""
        self._playbacks.play(film, self._began + self._frames / FPS, on_begun, on_over)

    def stop_playing(self, play_id: str) -> None:
        self._playbacks.stop(play_id)

    @property
    def playing(self) -> bool:
        return bool(self._playbacks)

    # where it goes

    def add(self, output: Output) -> None:
        self._encodings[output.coding].add(output)

    def remove(self, output: Output) -> None:
        self._encodings[output.coding].remove(output)

    def need_key(self) -> None:
        """Somebody has joined a call that the program goes to, and needs a key frame."""
        self._encodings[Coding.CALL].need_key()
        self.screenings.need_key()

    def advance(self, now: float) -> None:
        """Brings the program up to its time."""
        until = now - DELAY - self._began
        if until - self._blocks * BLOCK > LOST_TRACK:
            self._blocks = int(until / BLOCK)
            self._frames = int(until * FPS)
        self._playbacks.advance(self._began + until)
        while self._frames / FPS <= until or self._blocks * BLOCK <= until:
            if self._blocks * BLOCK <= self._frames / FPS:
                self._mix(self._began + self._blocks * BLOCK)
                self._blocks += 1
            else:
                late = until - self._frames / FPS > LATE
                if not late or self._frames % FPS == 0:
                    self._render(self._began + self._frames / FPS)
                self._frames += 1

    @property
    def next_at(self) -> float:
        """When `advance` has something to do."""
        return self._began + DELAY + min(self._frames / FPS, self._blocks * BLOCK)

    def snapshot(self) -> bytes:
        """The composite as it is now, as JPEG."""
        return jpeg(self._composer.render(self._began + self._frames / FPS))

    def _hear(self, source: str, frame: CodedFrame, at: float) -> None:
        sound = self._sounds.setdefault(source, _Sound())
        for samples, begin in sound.decode(frame.data, at):
            self._composer.sound(source, samples, begin)

    def _see(self, source: str, codec: CodecId, frame: CodedFrame, at: float) -> None:
        known, decoder = self._pictures.get(source, (None, None))
        if decoder is None or known is not codec:
            if not frame.key:
                raise MalformedPacket("it does not begin with a key frame")
            decoder = VideoDecoder(codec)
            self._pictures[source] = codec, decoder
        for picture in decoder.decode(frame.data, at):
            self._composer.picture(source, picture, at)

    def _mix(self, at: float) -> None:
        samples = self._composer.mix(at)
        for encoding in self._encodings.values():
            encoding.sound(samples, at)
        self.listeners.mix(at)
        self.screenings.mix(at)

    def _render(self, at: float) -> None:
        self.screenings.render(at)
        wanted = [encoding for encoding in self._encodings.values() if encoding]
        if wanted:
            picture = self._composer.render(at)
            for encoding in wanted:
                encoding.picture(picture)


class _Sound:
    """One track's decoder, and what is made up where packets are missing."""

    def __init__(self) -> None:
        self._decoder = AudioDecoder()
        self._next: float | None = None

    def decode(self, data: bytes, at: float) -> Iterable[tuple[Sound, float]]:
        gap = at - self._next if self._next is not None else 0.0
        while self._next is not None and BLOCK / 2 <= gap <= CONCEALED:
            samples = self._decoder.conceal()
            yield samples, self._next
            self._next += BLOCK
            gap -= BLOCK
        samples = self._decoder.decode(data)
        yield samples, at
        self._next = at + len(samples) / 48000
