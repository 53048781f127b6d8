"""The composite of a conference: pictures and sound of its sources in, one picture and one mix out.

Driven by whoever owns a clock: `picture` and `sound` as they are decoded, `render` for each frame of the program,
`mix` for each 20 ms. All times are seconds of one timeline. A change of the scene takes effect between two frames,
with a short cross-fade. What is drawn where is `stage.py`'s and `layouts.py`'s; encoding is the caller's.
"""

from collections import deque
from collections.abc import Collection

from mediaserver.composition.canvas import copied, fade, put
from mediaserver.composition.scene import Scene
from mediaserver.composition.stage import Stage
from mediaserver.media.mixing import Mixer, Sound
from mediaserver.media.pictures import Picture, Planes, blank, plain, stamp, views

MAX_WAITING = 24  # pictures of a source ahead of the program, 0.4 s at 60 a second; then the oldest is shown early


class Composer:
    """Pure of processes and sockets; used by one thread."""

    def __init__(self, scene: Scene) -> None:
        self._sources: dict[str, _Source] = {}
        self._mixer = Mixer()
        self._stage = Stage(scene)
        self._mixer.gains = scene.gains
        self._coming: Stage | None = None
        self._picture = blank(scene.width, scene.height)
        self._canvas = views(self._picture)
        self._fresh = False
        self._former: Planes | None = None
        self._changed_at = 0.0

    @property
    def scene(self) -> Scene:
        """What is shown, or will be from the next frame on."""
        return (self._coming or self._stage).scene

    def show(self, scene: Scene) -> None:
        """Shows another scene from the next frame on. Raises `BadLayer`, and goes on as before, if that cannot be."""
        if not scene.looks_like(self.scene):
            self._coming = Stage(scene)
        self._mixer.gains = scene.gains

    def picture(self, source: str, frame: Picture, at: float) -> None:
        """A decoded picture of `source` that belongs at `at`; it stays until a later one is due."""
        self._sources.setdefault(source, _Source()).add(frame, at)

    def sound(self, source: str, samples: Sound, at: float) -> None:
        """Decoded sound, float32 (samples, 2) at 48 kHz, whose first sample belongs at `at`."""
        self._mixer.add(source, samples, at)

    def blank(self, source: str) -> None:
        """The camera of `source` is off: its last picture gives way to its card."""
        self._sources.pop(source, None)

    def remove(self, source: str) -> None:
        """`source` is gone, picture and sound."""
        self.blank(source)
        self._mixer.remove(source)

    def render(self, at: float) -> Picture:
        """The composite at that time, in yuv420p, stamped with it. Valid until the next call, which draws on it."""
        for source in self._sources.values():
            source.advance(at)
        if self._coming is not None:
            self._change(self._coming, at)
        self._stage.draw(self._canvas, self._shown, whole=not self._fresh)
        self._fresh = True
        return self._output(at)

    def mix(self, at: float, *, but: Collection[str] = ()) -> Sound:
        """The 20 ms of sound from `at` on, float32 (960, 2); `but`: without these sources. Not to be written to."""
        return self._mixer.mix(at, but=but)

    def latest(self, source: str, at: float) -> Picture | None:
        """The picture of one source at that time. Not to be written to."""
        found = self._sources.get(source)
        if found:
            found.advance(at)
        return found.shown if found else None

    def alone(self, source: str, at: float) -> Sound:
        """The 20 ms of sound of one source. Not to be written to."""
        return self._mixer.alone(source, at)

    def _change(self, stage: Stage, at: float) -> None:
        former, self._stage, self._coming = self._stage.scene, stage, None
        same_size = (former.width, former.height) == (stage.scene.width, stage.scene.height)
        self._former = copied(self._canvas) if self._fresh and same_size and stage.scene.fade > 0 else None
        self._changed_at = at
        if not same_size:
            self._picture = blank(stage.scene.width, stage.scene.height)
            self._canvas = views(self._picture)
        self._fresh = False

    def _output(self, at: float) -> Picture:
        picture = self._picture
        if self._former is not None:
            share = (at - self._changed_at) / self._stage.scene.fade
            if share < 1:
                picture = self._faded(self._former, share)
            else:
                self._former = None
        stamp(picture, at)
        return picture

    def _faded(self, former: Planes, share: float) -> Picture:
        """What is shown now with what was before, in a picture of its own."""
        picture = blank(self._stage.scene.width, self._stage.scene.height)
        planes = views(picture)
        put(planes, self._canvas, 0, 0)
        fade(planes, former, share)
        return picture

    def _shown(self, source: str) -> Picture | None:
        found = self._sources.get(source)
        return found.shown if found else None


class _Source:
    """The pictures of one source: the one that is shown, and those whose time has not come."""

    def __init__(self) -> None:
        self.shown: Picture | None = None
        self._waiting: deque[tuple[float, Picture]] = deque()

    def add(self, picture: Picture, at: float) -> None:
        self._waiting.append((at, plain(picture)))
        if len(self._waiting) > MAX_WAITING:
            self.shown = self._waiting.popleft()[1]

    def advance(self, at: float) -> None:
        """Shows the latest picture that is due: half a tick early counts, times are rounded on their way."""
        while self._waiting and self._waiting[0][0] <= at + 1e-4:
            self.shown = self._waiting.popleft()[1]
