"""A private PostgreSQL for one test run: its own cluster in a temporary directory, reached by a socket file.

Absent binaries skip the tests that need it, unless FOLKMOOT_TEST_POSTGRESQL=1 says that they must be there.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BINARIES = "/usr/lib/postgresql"
USER = "postgres"
PORT = 5432  # names the socket file; nothing listens on the network


def binaries() -> Path:
    """Where initdb and pg_ctl are; skips or fails without them."""
    found = sorted(Path(BINARIES).glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    if os.environ.get("FOLKMOOT_TEST_POSTGRESQL") == "1":
        pytest.fail(f"no PostgreSQL under {BINARIES}")
    pytest.skip("PostgreSQL is not installed")


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database."""
    programs = binaries()
    home = Path(tempfile.mkdtemp(prefix="folkmoot-pg-"))
    if os.geteuid() == 0:
        shutil.chown(home, USER)
    options = f"-k {home} -p {PORT} -c listen_addresses='' -c fsync=off"
    try:
        _run(programs / "initdb", "-D", home / "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale")
        _run(programs / "pg_ctl", "-D", home / "data", "-l", home / "log", "-w", "-o", options, "start")
        try:
            yield f"postgresql://{USER}@/{USER}?host={home}&port={PORT}"
        finally:
            _run(programs / "pg_ctl", "-D", home / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run(*command: object) -> None:
    """As the user that PostgreSQL insists on not being root."""
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["runuser", "-u", USER, "--", *words]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60)
