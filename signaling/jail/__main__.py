"""The child's run: confined, it reads a file, and writes what it makes of it.

Written is a line of JSON for each thing told: `{"pages": 12}` first, then for each picture its page, kind, type and
size with its bytes behind the line, at the end `{"done": true}`, or `{"failed": "encrypted"}`.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from signaling.jail import confine

PAGE_CPU = 10  # seconds for one page, and for reading the file
TOTAL_CPU = 300  # seconds for all of them
FONT_FILES = 16  # a drawing's text is set in the fonts of this machine: open at a time


def main() -> None:
    job: Mapping[str, Any] = json.loads(sys.argv[1])
    confine.enter(job["parent"])
    from signaling.jail import pictures  # the decoders: loaded once there is no network any more

    confine.close(cpu_seconds=TOTAL_CPU, files=FONT_FILES if job["kind"] == "drawing" else 0)
    confine.next_step(PAGE_CPU)
    try:
        for told, data in run(pictures, job, sys.stdin.buffer.read()):
            _tell(told, data)
    except pictures.Unusable as unusable:
        _tell({"failed": str(unusable)})
    except MemoryError:
        _tell({"failed": "memory"})
    else:
        _tell({"done": True})


def run(pictures: Any, job: Mapping[str, Any], data: bytes) -> Iterator[tuple[Mapping[str, Any], bytes]]:
    """What is told, with the bytes that come along."""
    if job["kind"] != "document":
        image = pictures.drawing(data) if job["kind"] == "drawing" else pictures.photograph(data, job["max_side"])
        yield {"pages": 1}, b""
        yield from _sheet(pictures, 1, image, as_photograph=data.startswith(b"\xff\xd8"))
        return
    document = pictures.open_document(data, job["max_pages"])
    yield {"pages": len(document)}, b""
    for index in range(len(document)):
        confine.next_step(PAGE_CPU)
        yield from _sheet(pictures, index + 1, pictures.page(document, index, job["max_side"]))


def _sheet(
    pictures: Any, number: int, image: Any, *, as_photograph: bool = False
) -> Iterator[tuple[Mapping[str, Any], bytes]]:
    """The picture and, small, the picture again."""
    small = pictures.thumbnail(image)
    for kind, picture in (
        ("slide", pictures.encoded(image, as_photograph=as_photograph)),
        ("thumbnail", pictures.encoded(small)),
    ):
        told = {"page": number, "kind": kind, "type": picture.media_type, "size": len(picture.data)}
        yield {**told, "width": picture.width, "height": picture.height}, picture.data


def _tell(told: Mapping[str, Any], data: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
