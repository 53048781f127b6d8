"""The command line as people and service managers use it: a process, its output, its exit code."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from signaling.version import VERSION

WITHIN = 30  # seconds: much more than it takes


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(data_dir: Path, **more: object) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOLKMOOT_")}
    ours = {"DATA_DIR": data_dir, "MEDIA__LISTEN_IPS": '["127.0.0.1"]', "MEDIA__UDP_PORT": 0, "MEDIA__TCP_PORT": 0}
    return kept | {f"FOLKMOOT_{name}": str(value) for name, value in {**ours, **more}.items()}


def run(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "signaling", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False, **options)


@contextmanager
def serving(*words: str, env: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A server that answers, and its log up to there; killed at the end if it still runs."""
    log = []
    command = [sys.executable, "-m", "signaling", "serve", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                log.append(line)
                if '"serving"' in line:
                    break
            yield process, log
        finally:
            process.kill()


def test_it_tells_its_version():
    told = run("--version")
    assert (told.returncode, told.stdout) == (0, f"folkmoot {VERSION}\n")


@pytest.mark.parametrize("command", ["serve", "doctor"])
def test_every_mistake_of_the_configuration_is_told_before_anything_starts(tmp_path: Path, command: str):
    env = environment(tmp_path / "data", MEDIA__UDP_PORT=70000, COLOUR="red")
    told = run(command, env=env)
    assert told.returncode == 2
    assert sorted(told.stderr.splitlines()) == [
        "colour: is not a setting",
        "media.udp_port: must be between 0 and 65535 (got 70000)",
    ]
    assert not (tmp_path / "data").exists()


def test_a_missing_file_is_named(tmp_path: Path):
    told = run("serve", "--config", str(tmp_path / "none.yaml"), env=environment(tmp_path))
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "none.yaml" in told.stderr


def test_the_doctor_says_what_is_wrong_by_its_exit_code(tmp_path: Path):
    env = environment(tmp_path, LISTEN_PORT=free_port())
    told = run("doctor", env=env)
    assert told.returncode == 0, told.stdout
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        told = run("doctor", env=env | {"FOLKMOOT_LISTEN_PORT": str(taken.getsockname()[1])})
    assert told.returncode == 1
    assert re.search(r"^fail +HTTP port", told.stdout, re.MULTILINE)


def test_a_port_in_use_is_one_line(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = run("serve", "--host", "127.0.0.1", "--port", str(taken.getsockname()[1]), env=environment(tmp_path))
    assert told.returncode == 1
    assert told.stderr.splitlines()[-1].startswith("cannot start: ")
    assert "Traceback" not in told.stderr


def test_a_development_server_prints_a_key_that_works_and_stops_when_told(tmp_path: Path):
    port = free_port()
    env = environment(tmp_path)
    with serving("--dev", "--host", "127.0.0.1", "--port", str(port), env=env) as (process, _):
        assert process.stdout is not None
        key_line, rooms_line, sessions_line, spaces_line, page_line = (process.stdout.readline() for _ in range(5))
        assert re.fullmatch(r"rooms key: [0-9a-f]{32}\n", rooms_line)
        assert re.fullmatch(r"spaces secret of the client 'development': [0-9a-f]{32}\n", spaces_line)
        assert page_line == f"page: http://127.0.0.1:{port}\n"
        key = key_line.removeprefix("realtime key: ").strip()
        base = f"http://127.0.0.1:{port}"
        room = requests.post(f"{base}/api/realtime/room", headers={"x-vcs-token": key}, timeout=5)
        assert room.status_code == 200
        bearer = {"Authorization": f"Bearer {sessions_line.removeprefix('sessions token: ').strip()}"}
        assert requests.post(f"{base}/session", headers=bearer, json={}, timeout=5).status_code == 200
        assert requests.get(f"{base}/about.json", timeout=5).json()["realtime_key"] == key
        assert requests.get(f"{base}/readyz", timeout=5).status_code == 200
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=WITHIN)
    assert process.returncode == 0
    assert '"stopped"' in log
    assert key not in log
    assert room.json()["room"]["token"] not in log


def test_without_keys_it_starts_and_warns(tmp_path: Path):
    with serving("--host", "127.0.0.1", "--port", str(free_port()), env=environment(tmp_path)) as (process, log):
        process.send_signal(signal.SIGINT)
        assert process.wait(WITHIN) == 0
    warnings = [line for line in map(json.loads, log) if line["level"] == "warning"]
    assert [warning["family"] for warning in warnings] == ["realtime", "sessions", "rooms", "spaces"]
