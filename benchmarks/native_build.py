"""Builds the C helpers of the benchmarks, once per content, into the user's cache directory."""

import ctypes
import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "folkmoot-benchmarks"


def build(name: str, sources: Sequence[Path], *, shared: bool, libraries: Sequence[str] = ()) -> Path:
    """The path of the library or program made from `sources`; compiled if it is not there yet."""
    parts = b"".join(path.read_bytes() for path in sources)
    headers = b"".join(p.read_bytes() for p in sorted({h for s in sources for h in s.parent.glob("*.h")}))
    digest = hashlib.sha256(parts + headers + repr((shared, libraries)).encode()).hexdigest()[:16]
    target = CACHE / f"{name}-{digest}{'.so' if shared else ''}"
    if target.exists():
        return target
    CACHE.mkdir(parents=True, exist_ok=True)
    building = target.with_suffix(f".{os.getpid()}")
    command = ["cc", "-std=gnu11", "-O3", "-Wall", *(["-shared", "-fPIC"] if shared else []), "-o", str(building)]
    command += [str(s) for s in sources] + [f"-l{library}" for library in libraries]
    subprocess.run(command, check=True)
    building.rename(target)
    return target


def datagrams() -> ctypes.CDLL:
    library = ctypes.CDLL(str(build("datagrams", [HERE / "native" / "datagrams.c"], shared=True)))
    library.bare_sendto.restype = ctypes.c_double
    library.bare_sendto.argtypes = [
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int64,
    ]
    library.bare_streams.restype = None
    library.bare_streams.argtypes = [
        ctypes.c_int,
        ctypes.c_char_p,
        *[ctypes.c_int] * 3,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int64,
        ctypes.c_void_p,
    ]
    library.pump.restype = None
    library.pump.argtypes = [ctypes.c_int, ctypes.c_char_p, *[ctypes.c_int] * 4, ctypes.c_int64]
    library.drain.restype = None
    return library
