"""The small protocol of everything that takes an encoded program: files, streams back into a conference, pushes."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame of sound or picture. `at`: seconds on the timeline; `key`: it can be decoded without others."""

    data: bytes
    at: float
    key: bool
    duration: float


class Output(Protocol):
    """Takes the frames of a program in their order."""

    def video(self, frame: EncodedFrame) -> None: ...

    def audio(self, frame: EncodedFrame) -> None: ...

    def close(self) -> None: ...
