"""The HLS streams that a conference has its media worker write, as the server knows them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mediaserver.composition.control import Message
from mediaserver.composition.orders import CONFERENCE_OVER, WORKER_LOST
from mediaserver.events import HlsBegun, HlsEnded, HlsPart, MediaEvent

MAX_PART = 16 << 20  # bytes: more than a third of a second of anything


@dataclass(slots=True)
class _Stream:
    folder: Path
    runs: int = 0
    """Workers that have been told of it: each begins a file of its own."""
    stopping: bool = False


class HlsStreams:
    """Orders of one kind (`orders.Orders`). A stream goes on with the next worker, in another file."""

    def __init__(self, conference_id: str, send: Callable[..., None], tell: Callable[[MediaEvent], None]) -> None:
        self._conference = conference_id
        self._send = send
        self._tell = tell
        self._open: dict[str, _Stream] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def add(self, hls_id: str, folder: Path) -> None:
        """ValueError for an id that is streamed already. `begin` is to follow."""
        if hls_id in self._open:
            raise ValueError(f"{hls_id} is streamed already")
        self._open[hls_id] = _Stream(folder)

    def begin(self, hls_id: str) -> None:
        stream = self._open[hls_id]
        stream.runs += 1
        self._send(do="hls", id=hls_id, folder=str(stream.folder), prefix=f"{stream.runs}-")
        if stream.stopping:
            self._send(do="stop_hls", id=hls_id)

    def stop(self, hls_id: str) -> None:
        """Its end is told when the worker has written what it has."""
        stream = self._open.get(hls_id)
        if stream and not stream.stopping:
            stream.stopping = True
            self._send(do="stop_hls", id=hls_id)

    def brief(self) -> None:
        for hls_id in self._open:
            self.begin(hls_id)

    def heard(self, message: Message) -> bool:
        match message:
            case {"did": "hls", "id": str(hls_id), "event": "begun", "file": str(file)} if hls_id in self._open:
                self._tell(HlsBegun(self._conference, "", hls_id, self._path(hls_id, file)))
            case {"did": "hls", "id": str(hls_id), "event": "part"} if hls_id in self._open:
                self._part(hls_id, message)
            case {"did": "hls_over", "id": str(hls_id), "why": str(why)} if hls_id in self._open:
                self._ended(hls_id, why)
                return True
        return False

    def close(self) -> None:
        """The worker is told by others; that it has ended all is still told."""
        for stream in self._open.values():
            stream.stopping = True

    async def give_up(self) -> None:
        for hls_id, stream in list(self._open.items()):
            self._ended(hls_id, CONFERENCE_OVER if stream.stopping else WORKER_LOST)

    def _part(self, hls_id: str, message: Message) -> None:
        path = self._path(hls_id, str(message["file"]))
        offset, size = int(message["offset"]), min(int(message["size"]), MAX_PART)
        at, duration = float(message["at"]), float(message["duration"])
        independent, first, last = (bool(message[name]) for name in ("independent", "first", "last"))
        what = (offset, size, at, duration, independent, first, last)
        self._tell(HlsPart(self._conference, "", hls_id, path, *what))

    def _path(self, hls_id: str, file: str) -> str:
        """The name is the worker's: it is never more than a name in the stream's folder."""
        return str(self._open[hls_id].folder / Path(file).name)

    def _ended(self, hls_id: str, why: str) -> None:
        del self._open[hls_id]
        self._tell(HlsEnded(self._conference, "", hls_id, why))
