"""Compiles the fuzz targets with clang's libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer and runs them.

A target is one C file in this folder, see `fuzz.h`; inputs to begin with may stand in `seeds.py`. Everything that is
built lies in a temporary folder. The exit code is 1 if a target found something, with the input printed in hex.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.native.fuzz.seeds import SEEDS

HERE = Path(__file__).parent
NATIVE = HERE.parents[2] / "mediaserver" / "native"
GENERATED = {"_native.c"}  # by Cython: it needs Python
TARGETS = tuple(sorted(path.stem for path in HERE.glob("*.c")))
COMPILE = ("clang", "-std=gnu11", "-g", "-O1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all", f"-I{NATIVE}")
LIBRARIES = ("-lcrypto", "-lpthread", "-lm")
SANITIZE = "address,undefined"
OF_A_SMALL_PARENT = ("/bin/sh", "-c", '"$0" "$@"; exit $?')
"""libFuzzer takes for its own peak of memory what its parent had when it was forked: pytest's is over the limit."""
LIMITS = ("-max_len=2048", "-timeout=5", "-rss_limit_mb=1024", "-verbosity=0", "-print_final_stats=1")


def compile_core(folder: Path) -> Path:
    """All of the native core as an archive: the linker takes from it what a target uses."""

    def compile_one(source: Path) -> Path:
        result = folder / f"{source.stem}.o"
        subprocess.run(
            [*COMPILE, f"-fsanitize=fuzzer-no-link,{SANITIZE}", "-c", str(source), "-o", str(result)], check=True
        )
        return result

    sources = sorted(path for path in NATIVE.glob("*.c") if path.name not in GENERATED)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sources))
    archive = folder / "core.a"
    subprocess.run(["ar", "rcs", str(archive), *map(str, objects)], check=True)
    return archive


def compile_target(name: str, core: Path) -> Path:
    program = core.parent / f"fuzz_{name}"
    subprocess.run(
        [*COMPILE, f"-fsanitize=fuzzer,{SANITIZE}", str(HERE / f"{name}.c"), str(core), *LIBRARIES, "-o", str(program)],
        check=True,
    )
    return program


def run_target(name: str, core: Path, seconds: int) -> bool:
    """Whether `seconds` of inputs went without a finding."""
    program = compile_target(name, core)
    corpus, findings = core.parent / f"{name}.corpus", core.parent / f"{name}.findings"
    corpus.mkdir()
    findings.mkdir()
    for i, seed in enumerate(SEEDS.get(name, ())):
        (corpus / str(i)).write_bytes(seed)
    run = subprocess.run(
        [*OF_A_SMALL_PARENT, program, f"-max_total_time={seconds}", *LIMITS, f"-artifact_prefix={findings}/", corpus],
        check=False,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    executed = [line.split()[-1] for line in run.stderr.splitlines() if "number_of_executed_units" in line]
    print(
        f"{name}: {executed[0] if executed else '?'} inputs, {'clean' if run.returncode == 0 else 'FOUND SOMETHING'}",
        flush=True,
    )
    if run.returncode:
        print(run.stderr)
        for finding in findings.iterdir():
            print(f"input of {finding.name}: {finding.read_bytes().hex()}")
    return run.returncode == 0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.native.fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", default="all", choices=("all", *TARGETS))
    parser.add_argument("seconds", nargs="?", type=int, default=60, help="for each target; 60 if not given")
    options = parser.parse_args(arguments)
    names = TARGETS if options.target == "all" else (options.target,)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        core = compile_core(Path(folder))
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # a core for each
            clean = list(pool.map(lambda name: run_target(name, core, options.seconds), names))
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
