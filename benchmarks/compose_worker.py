"""The process that `compose` measures: clips in, one encoded program out; prints what each part took, in CPU seconds.

`python -m benchmarks.compose_worker BITRATE LOOPS CLIP...`; as fast as it can, without a clock.
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator

import av

from benchmarks.process import pss
from mediaserver.composition.composer import Composer
from mediaserver.composition.layouts import WIDESCREEN, name_for, named
from mediaserver.composition.scene import Scene, Tile
from mediaserver.media.codecs import VideoDecoder, VideoEncoder
from mediaserver.rtp.codecs import CodecId

FPS = 30


def packets(path: str) -> list[bytes]:
    with av.open(path) as file:
        return [bytes(packet) for packet in file.demux(video=0) if packet.size]


def scene(people: int) -> Scene:
    boxes = named(name_for(people), widescreen=True)
    tiles = tuple(Tile(boxes[i], f"source {i}", f"person {i}", f"Participant {i + 1}") for i in range(people))
    return Scene(*WIDESCREEN, tiles=tiles)


def work(clips: list[list[bytes]], bitrate: int) -> Iterator[tuple[str, float]]:
    """Does the job, telling what each part of each frame took."""
    decoders = [VideoDecoder(CodecId.VP8) for _ in clips]
    composer = Composer(scene(len(clips)))
    encoder = VideoEncoder(CodecId.VP8, *WIDESCREEN, FPS, bitrate)
    for index in range(len(clips[0])):
        at = index / FPS
        start = time.process_time()
        decoded = [decoder.decode(clip[index], at) for decoder, clip in zip(decoders, clips, strict=True)]
        between = time.process_time()
        yield "decode", between - start
        for source, pictures in enumerate(decoded):
            for picture in pictures:
                composer.picture(f"source {source}", picture, at)
        frame = composer.render(at)
        drawn = time.process_time()
        yield "draw", drawn - between
        encoder.encode(frame)
        yield "encode", time.process_time() - drawn


def main() -> None:
    bitrate, loops, *paths = sys.argv[1:]
    clips = [packets(path) * int(loops) for path in paths]
    start, took = time.process_time(), Counter[str]()
    for part, seconds in work(clips, int(bitrate)):
        took[part] += seconds  # type: ignore[assignment]
    print(json.dumps({"cpu": time.process_time() - start, "memory": pss(os.getpid()), **took}))


if __name__ == "__main__":
    main()
