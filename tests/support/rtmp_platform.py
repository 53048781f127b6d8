"""A platform that takes RTMP: nginx with its RTMP module on a port of its own, and, for RTMPS, TLS in front of it.

It takes streams in `live`, and none in `closed`. What it has can be read as a viewer does.
"""

import asyncio
import datetime
import ipaddress
import ssl
from asyncio.subprocess import Process
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.server import free_ports, until

PATIENCE = 30.0  # seconds
NGINX = "/usr/sbin/nginx"
CONFIGURATION = """
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off; master_process off; worker_processes 1; pid {directory}/nginx.pid; error_log {log} info;
events {{ worker_connections 64; }}
rtmp {{ server {{
    listen 127.0.0.1:{port};
    application live {{ live on; }}
    application closed {{ live on; deny publish all; }}
}} }}
"""


class Platform:
    """`async with` runs it; `die` and `live` as often as a test wants."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        (self.port,) = free_ports(1)
        self._directory = directory
        self._log = directory / "error.log"
        self._process: Process | None = None

    def url(self, key: str, app: str = "live") -> str:
        return f"rtmp://127.0.0.1:{self.port}/{app}/{key}"

    async def __aenter__(self) -> Self:
        await self.live()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.die()

    async def live(self) -> None:
        configuration = self._directory / "nginx.conf"
        text = CONFIGURATION.format(directory=self._directory, log=self._log, port=self.port)
        await asyncio.to_thread(configuration.write_text, text)
        self._process = await asyncio.create_subprocess_exec(
            NGINX, "-c", str(configuration), stderr=asyncio.subprocess.DEVNULL
        )
        await until(self._answers, PATIENCE, "nginx to listen")

    async def die(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def tries(self) -> int:
        """How often somebody has wanted to publish."""
        return self._log.read_text().count("publish: name=")

    async def watch(self, key: str, seconds: float, file: Path) -> Path:
        """What a viewer gets in that time, as it is; tries again until there is something."""

        async def watched() -> bool:
            process = await asyncio.create_subprocess_exec(
                *("ffmpeg", "-v", "error", "-y", "-rw_timeout", "5000000", "-i", self.url(key)),
                *("-t", f"{seconds:g}", "-c", "copy", str(file)),
                stderr=asyncio.subprocess.DEVNULL,
            )
            return await process.wait() == 0 and await asyncio.to_thread(_filled, file)

        await until(watched, PATIENCE, "something to watch")
        return file

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


class Terminator:
    """TLS in front of a platform, with a certificate for `localhost` that is its own authority (`ca_file`)."""

    def __init__(self, platform: Platform, directory: Path) -> None:
        self._platform = platform
        self.ca_file, self._key_file = certificate(directory)
        self._server: asyncio.Server | None = None
        self.port = 0
        self.names: list[str] = []
        """Names that were asked for (SNI)."""

    def url(self, key: str, host: str = "localhost") -> str:
        return f"rtmps://{host}:{self.port}/live/{key}"

    async def __aenter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, self._key_file)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name or "")
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._platform.port)
        await asyncio.gather(_pass(reader, there), _pass(there_reader, writer))


def _filled(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # one side has gone, so does the other
    finally:
        writer.close()


def certificate(directory: Path) -> tuple[Path, Path]:
    """For `localhost`, and its own authority; and its key."""
    file, key_file = directory / "authority.pem", directory / "key.pem"
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "us")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file, key_file
