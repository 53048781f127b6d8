"""A bucket that can be gone and come back, ask for credentials, and be looked into: moto's S3 server."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

from moto.server import ThreadedMotoServer

from signaling.objects import Objects
from tests.support.server import free_ports

KEYS = {"accessKey": "tests", "secretKey": "the secret key of the tests"}
_NO_AUTHENTICATION = "1000000"


class Bucket:
    """`port` stays the same while it is gone; every object that ever was is counted."""

    def __init__(self) -> None:
        [self.port] = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.name = f"archives-{self.port}"
        self._server: ThreadedMotoServer | None = None
        self.come_back()
        versioned = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        assert self._ask("PUT", f"/{self.name}")[0] == 200
        assert self._ask("PUT", f"/{self.name}?versioning", versioned)[0] == 200

    def come_back(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._server.start()

    def go(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    @contextmanager
    def asking_for_credentials(self) -> Iterator[None]:
        """Whose are unknown gets nothing."""
        self._ask("POST", "/moto-api/reset-auth", "0")
        try:
            yield
        finally:
            self._ask("POST", "/moto-api/reset-auth", _NO_AUTHENTICATION)

    def target(self, endpoint: str = "", **changes: Any) -> dict[str, Any]:
        """What a caller says of it."""
        return {"name": "AWSS3", "bucket": self.name, "endpoint": endpoint or self.endpoint, **KEYS, **changes}

    def objects(self) -> Objects:
        keys = {"access_key_id": "tests", "secret_access_key": "tests", "region": "us-east-1"}
        return Objects(f"s3://{self.name}", {**keys, "endpoint": self.endpoint})

    def arrivals(self) -> list[str]:
        """The key of each object that has been put, as often as it has been."""
        return re.findall(r"<Key>(.*?)</Key>", self._ask("GET", f"/{self.name}?versions")[1])

    def _ask(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text


@contextmanager
def bucket() -> Iterator[Bucket]:
    made = Bucket()
    try:
        yield made
    finally:
        made.go()
