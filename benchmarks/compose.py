"""What does it cost to draw a meeting as one picture? ms of CPU per frame of 720p30, and share of a core, for 1, 4, 9.

Each person is a VP8 clip (with sensor noise) of the simulcast layer that fits its box. Ours, in a process of its own:
decode, draw with names, encode as VP8. Beside it, in the same run and in turn with it, FFmpeg's program with its filter
graph doing the same: decode, scale, xstack, encode with the same settings, one thread for each codec. CPU is user and
system time of all threads; what starting takes is left out of ours and is a tenth of a second of FFmpeg's. Bars: four
people 0.6 of a core and 300 MiB, nine 0.9, and no more CPU than FFmpeg.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import faces
from mediaserver.composition.layouts import name_for, named

FPS = 30
CLIP, LOOPS, QUICK_LOOPS = 5, 6, 1  # seconds, and how often each clip is played
REPEATS = 3
BITRATE = 2_000_000  # of the program
BARS = {1: None, 4: 0.6, 9: 0.9}
MEMORY_BAR = 300 << 20
WORKER = "benchmarks.compose_worker"

Row = dict[str, object]


@dataclass(frozen=True)
class Case:
    """`layer`: the size in which each person is sent."""

    people: int
    layer: tuple[int, int]
    bitrate: int


CASES = (Case(1, (1280, 720), 1_500_000), Case(4, (640, 360), 500_000), Case(9, (640, 360), 500_000))


def run(*, quick: bool = False) -> list[Row]:
    loops, repeats = (QUICK_LOOPS, 1) if quick else (LOOPS, REPEATS)
    with tempfile.TemporaryDirectory() as folder:
        return [measured(case, Path(folder), loops, repeats) for case in CASES]


def measured(case: Case, folder: Path, loops: int, repeats: int) -> Row:
    clips = [folder / f"{case.people}-{index}.webm" for index in range(case.people)]
    for index, clip in enumerate(clips):
        faces.write(clip, index, *case.layer, FPS, FPS * CLIP, case.bitrate)
    ours, theirs = [], []
    for _ in range(repeats):
        ours.append(our_run(clips, loops))
        theirs.append(ffmpeg_run(case, clips, loops))
    return told(case, CLIP * loops, ours, theirs)


def our_run(clips: list[Path], loops: int) -> dict[str, float]:
    command = [sys.executable, "-m", WORKER, str(BITRATE), str(loops), *map(str, clips)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(answer.stdout))


def ffmpeg_run(case: Case, clips: list[Path], loops: int) -> dict[str, float]:
    """CPU seconds and bytes of memory of FFmpeg's program at the same job."""
    boxes = named(name_for(case.people), widescreen=True)
    scaled = [f"[{i}:v]scale={box.width}:{box.height}:flags=bilinear[v{i}]" for i, box in enumerate(boxes)]
    places = "|".join(f"{box.left}_{box.top}" for box in boxes)
    labels = "".join(f"[v{i}]" for i in range(case.people))
    stack = f"{labels}xstack=inputs={case.people}:layout={places}[out]" if case.people > 1 else "[v0]null[out]"
    graph = ";".join([*scaled, stack])
    inputs = [word for clip in clips for word in ("-stream_loop", str(loops - 1), "-threads", "1", "-i", str(clip))]
    rate = str(BITRATE)
    encoder = ["-c:v", "libvpx", "-threads", "1", "-deadline", "realtime", "-cpu-used", "-10", "-lag-in-frames", "0"]
    encoder += ["-auto-alt-ref", "0", "-static-thresh", "1", "-qmin", "2", "-qmax", "56", "-g", str(FPS * 10)]
    encoder += ["-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate]
    command = ["ffmpeg", "-v", "error", "-nostdin", "-filter_complex_threads", "1", *inputs]
    command += ["-filter_complex", graph, "-map", "[out]", *encoder, "-f", "null", "-"]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return {"cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss * 1024.0}


def told(case: Case, seconds: int, ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> Row:
    frames = seconds * FPS
    shares = [one["cpu"] / seconds for one in ours]
    beside = [one["cpu"] / seconds for one in theirs]
    parts = {
        name: statistics.median(one[name] for one in ours) / frames * 1000 for name in ("decode", "draw", "encode")
    }
    row: Row = {
        "case": f"{case.people} people",
        "frame_ms": round(statistics.median(shares) * 1000 / FPS, 3),
        **{f"{name}_ms": round(value, 3) for name, value in parts.items()},
        "cores": round(statistics.median(shares), 3),
        "spread": round(max(shares) - min(shares), 3),
        "memory_mib": round(max(one["memory"] for one in ours) / 2**20),
        "ffmpeg_cores": round(statistics.median(beside), 3),
        "ratio": round(statistics.median(a / b for a, b in zip(shares, beside, strict=True)), 3),
    }
    bar = BARS[case.people]
    row["bar"] = "met" if _met(row, bar) else "missed"
    print(
        f"compose {row['case']} at 720p30: {row['frame_ms']} ms CPU a frame (decode {row['decode_ms']}, draw"
        f" {row['draw_ms']}, encode {row['encode_ms']}), {row['cores']} ±{row['spread']} of a core,"
        f" {row['memory_mib']} MiB; FFmpeg {row['ffmpeg_cores']}, ratio {row['ratio']}; bar {bar or '-'} {row['bar']}"
    )
    return row


def _met(row: Row, bar: float | None) -> bool:
    cores, ratio, memory = float(str(row["cores"])), float(str(row["ratio"])), int(str(row["memory_mib"]))
    return (bar is None or cores <= bar) and ratio <= 1.0 and memory <= MEMORY_BAR >> 20
