"""Runs the native tests and the scenarios under AddressSanitizer and UndefinedBehaviorSanitizer, or ThreadSanitizer.

`python -m tests.native.sanitize [memory|threads] [pytest arguments]`; memory if not said. The extension is built anew
into a temporary folder, the C files that tests compile for themselves get the sanitizers, too; nothing in the working
copy changes. Not run: what counts allocations or resident memory (the sanitizer has its own), and the fuzz targets,
which bring their own sanitizers.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "mediaserver" / "native"
COMPILER = shutil.which("gcc") or "gcc"
COMMON = ("-fno-omit-frame-pointer", "-g", "-O1")
LEFT_OUT = (
    "tests/native/test_srtp.py::test_allocates_for_keys_but_never_for_a_packet",
    "tests/native/test_core_lifetimes.py::test_ten_thousand_connections_tracks_and_sinks_leave_nothing_behind",
    "tests/native/test_core_lifetimes.py::test_video_tracks_give_their_memory_back",
    "tests/native/test_fuzz.py",
)


@dataclass(frozen=True)
class Kind:
    flags: tuple[str, ...]
    libraries: tuple[str, ...]
    options: dict[str, str]
    tests: tuple[str, ...]


KINDS = {
    "memory": Kind(
        ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", *COMMON),
        ("libasan.so", "libubsan.so"),
        {
            "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        },
        ("tests/native", "tests/scenarios"),
    ),
    "threads": Kind(
        ("-fsanitize=thread", *COMMON),
        ("libtsan.so",),
        {"TSAN_OPTIONS": "halt_on_error=1"},
        ("tests/native/test_core_threads.py",),
    ),
}


def copy_tree(folder: Path) -> None:
    """The packages without what was built from them."""
    for name in ("mediaserver", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.so", "__pycache__", "_native.c"))
    shutil.copy(ROOT / "pyproject.toml", folder)


def build_extension(folder: Path, flags: Sequence[str]) -> None:
    native = folder / "mediaserver" / "native"
    subprocess.run([sys.executable, "-m", "cython", "-3", str(native / "_native.pyx")], check=True)
    include = sysconfig.get_paths()["include"]

    def compile_one(source: Path) -> Path:
        result = source.with_suffix(".o")
        command = [COMPILER, "-std=gnu11", "-fPIC", *flags, f"-I{include}", f"-I{native}", "-c", str(source)]
        subprocess.run([*command, "-o", str(result)], check=True)
        return result

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(compile_one, sorted(native.glob("*.c"))))
    target = native / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    subprocess.run([COMPILER, "-shared", *flags, *map(str, objects), "-lcrypto", "-o", str(target)], check=True)


def compiler_with_flags(folder: Path, flags: Sequence[str]) -> Path:
    """A folder with a `cc` that adds the sanitizers, for what tests compile."""
    folder.mkdir()
    script = folder / "cc"
    script.write_text(f'#!/bin/sh\nunset LD_PRELOAD\nexec {COMPILER} {" ".join(flags)} "$@"\n')
    script.chmod(0o755)
    return folder


def library(name: str) -> str:
    found = subprocess.run([COMPILER, f"-print-file-name={name}"], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def run_tests(folder: Path, kind: Kind, arguments: Sequence[str]) -> int:
    environment = os.environ | kind.options | {
        "LD_PRELOAD": " ".join(map(library, kind.libraries)),
        "PYTHONPATH": str(folder),
        "PYTHONMALLOC": "malloc",
        "PATH": f"{compiler_with_flags(folder / 'bin', kind.flags)}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    left_out = [f"--deselect={name}" for name in LEFT_OUT]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *left_out, *(arguments or kind.tests)]
    return subprocess.run(command, check=False, cwd=folder, env=environment).returncode


def main(arguments: Sequence[str]) -> int:
    named = bool(arguments) and arguments[0] in KINDS
    kind = KINDS[arguments[0] if named else "memory"]
    with tempfile.TemporaryDirectory(prefix="sanitize-") as name:
        folder = Path(name)
        copy_tree(folder)
        build_extension(folder, kind.flags)
        return run_tests(folder, kind, arguments[named:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
