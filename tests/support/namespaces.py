"""Network namespaces behind lines with a weather: what a program in there sends and receives goes over a narrow line.

Each line is a pair of tun devices, one on this side and one in a namespace, with a shuttle (`shuttle.py`) between
them: delay, loss, a rate with a queue before it, changed at any moment. No kernel module but tun is needed; root is.
Everybody reaches the server at one address of this side.
"""

import fcntl
import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from tests.support.link import Weather

ADDRESS = "10.231.0.1"  # this side's, for everybody
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
QUEUE = 1000  # packets that a device holds until the shuttle takes them
OPEN = Weather(delay=0.0005)


def available() -> bool:
    """Whether this process may make namespaces and devices."""
    return os.geteuid() == 0 and os.access("/dev/net/tun", os.R_OK | os.W_OK)


class FarSide:
    """A namespace at the other end of a line."""

    def __init__(self, name: str, shuttle: "subprocess.Popen[bytes]") -> None:
        self.name = name
        self._shuttle = shuttle

    def weather(self, down: Weather, up: Weather) -> None:
        """From now on; `down` is what goes to the namespace."""
        assert self._shuttle.stdin is not None
        text = json.dumps({"down": asdict(down), "up": asdict(up)})
        self._shuttle.stdin.write(text.encode() + b"\n")
        self._shuttle.stdin.flush()

    def wrapper(self, directory: Path, command: str) -> Path:
        """A program that runs `command` in the namespace."""
        path = directory / f"in-{self.name}"
        path.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {command} "$@"\n')
        path.chmod(0o755)
        return path


@contextmanager
def near_side() -> Iterator[str]:
    """This side's address, for the server."""
    _run("ip", "address", "replace", f"{ADDRESS}/32", "dev", "lo")
    try:
        yield ADDRESS
    finally:
        _run("ip", "address", "del", f"{ADDRESS}/32", "dev", "lo")


@contextmanager
def far_side(number: int, *, seed: int = 1) -> Iterator[FarSide]:
    """The namespace behind line `number` (1 to 250); open until it is given a weather."""
    name, near, far = f"fmline{number}", f"fmnear{number}", f"fmfar{number}"
    with ExitStack() as closing:
        _run("ip", "netns", "add", name)
        closing.callback(_run, "ip", "netns", "delete", name)
        devices = [_tun(each) for each in (near, far)]
        for device in devices:
            closing.callback(os.close, device)
        _lay(number, name, near, far)
        with tempfile.TemporaryFile() as told:
            shuttle = subprocess.Popen(
                [sys.executable, "-m", "tests.support.shuttle", *map(str, devices), str(seed)],
                stdin=subprocess.PIPE,
                stdout=told,
                pass_fds=devices,
                cwd=Path(__file__).parents[2],
            )
            closing.callback(_end, shuttle)
            side = FarSide(name, shuttle)
            side.weather(OPEN, OPEN)
            yield side


def _lay(number: int, name: str, near: str, far: str) -> None:
    local, remote = f"10.231.{number}.1", f"10.231.{number}.2"
    inside = ("ip", "-n", name)
    _run("ip", "link", "set", far, "netns", name)
    _run("ip", "address", "add", local, "peer", remote, "dev", near)
    _run("ip", "link", "set", near, "up", "txqueuelen", str(QUEUE))
    _run(*inside, "link", "set", "lo", "up")
    _run(*inside, "address", "add", remote, "peer", local, "dev", far)
    _run(*inside, "link", "set", far, "up", "txqueuelen", str(QUEUE))
    _run(*inside, "route", "add", "default", "dev", far)


def _tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def _end(shuttle: "subprocess.Popen[bytes]") -> None:
    assert shuttle.stdin is not None
    shuttle.stdin.close()
    shuttle.wait(10)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
