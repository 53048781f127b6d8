"""Real object stores on this machine: moto's S3 server, and Azurite, which npm installs.

An absent Azurite skips the tests that need it, unless FOLKMOOT_TEST_AZURITE=1 says that it must be there.
"""

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from time import monotonic, sleep
from urllib.error import URLError

import pytest
from moto.server import ThreadedMotoServer

from signaling.objects import Objects
from tests.support.server import free_ports

BUCKET = "meetings"
ACCOUNT = "devstoreaccount1"
# the account that every Azurite has, from its README
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
API_VERSION = "2021-12-02"
PATIENCE = 20.0  # seconds for Azurite to start


@contextmanager
def s3() -> Iterator[Objects]:
    """A bucket, and a path in it."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        made = HTTPConnection("127.0.0.1", port)
        made.request("PUT", f"/{BUCKET}")
        assert made.getresponse().status == 200
        keys = {"access_key_id": "tests", "secret_access_key": "tests", "region": "us-east-1"}
        yield Objects(f"s3://{BUCKET}/a/path", {**keys, "endpoint": f"http://127.0.0.1:{port}"})
    finally:
        server.stop()


@contextmanager
def azure() -> Iterator[Objects]:
    """A container."""
    [port] = free_ports(1)
    command = [_azurite(), "--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    process = subprocess.Popen([*command, "--blobPort", str(port)], stdout=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
    try:
        _make_container(endpoint, process)
        yield Objects(f"az://{BUCKET}", {"account_name": ACCOUNT, "account_key": ACCOUNT_KEY, "endpoint": endpoint})
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _azurite() -> str:
    found = shutil.which("azurite-blob")
    if found is not None:
        return found
    if os.environ.get("FOLKMOOT_TEST_AZURITE") == "1":
        pytest.fail("no azurite-blob in the path")
    pytest.skip("Azurite is not installed")


def _make_container(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    give_up_at = monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(_signed_put(endpoint), timeout=PATIENCE) as answer:
                assert answer.status == 201
            return
        except URLError:
            assert process.poll() is None, "Azurite has ended"
            assert monotonic() < give_up_at, "Azurite does not answer"
            sleep(0.1)


def _signed_put(endpoint: str) -> urllib.request.Request:
    """Makes the container; the signature as Azure's documentation of shared keys has it."""
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    path = f"/{ACCOUNT}/{ACCOUNT}/{BUCKET}\nrestype:container"
    signed = "PUT" + "\n" * 12 + f"x-ms-date:{now}\nx-ms-version:{API_VERSION}\n{path}"
    signature = base64.b64encode(hmac.digest(base64.b64decode(ACCOUNT_KEY), signed.encode(), hashlib.sha256)).decode()
    headers = {"x-ms-date": now, "x-ms-version": API_VERSION, "Authorization": f"SharedKey {ACCOUNT}:{signature}"}
    return urllib.request.Request(f"{endpoint}/{BUCKET}?restype=container", method="PUT", headers=headers)
