"""A DTLS client made of pyOpenSSL alone, a lossy way between it and a server, and hellos in two datagrams."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from OpenSSL import SSL

PROFILES = ("SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM", "SRTP_AES128_CM_SHA1_80")


class DtlsPeer:
    """What a browser does after ICE, without anything of ours."""

    def __init__(self, certificate, key, profiles: Sequence[str] = PROFILES, *, ciphers: str = "ECDHE+AESGCM"):
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_options(SSL.OP_NO_QUERY_MTU)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.set_cipher_list(ciphers.encode())
        if profiles:
            context.set_tlsext_use_srtp(":".join(profiles).encode())
        self.ssl = SSL.Connection(context)
        self.ssl.set_ciphertext_mtu(1200)
        self.ssl.set_connect_state()
        self.connected = False
        self.error = ""
        self.received: list[bytes] = []

    def step(self, datagram: bytes = b"") -> list[bytes]:
        """Takes a datagram, returns what it sends."""
        if datagram:
            self.ssl.bio_write(datagram)
        try:
            if not self.connected:
                self.ssl.do_handshake()
                self.connected = True
            while True:
                self.received.append(self.ssl.recv(16384))
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            self.error = str(error) or type(error).__name__
        return self.written()

    def send(self, message: bytes) -> list[bytes]:
        self.ssl.send(message)
        return self.written()

    def close(self) -> list[bytes]:
        self.ssl.shutdown()
        return self.written()

    def resend(self) -> list[bytes]:
        """Sends the last flight again if OpenSSL's timer has run out."""
        self.ssl.DTLSv1_handle_timeout()
        return self.written()

    def written(self) -> list[bytes]:
        stream = b""
        while True:
            try:
                stream += self.ssl.bio_read(65536)
            except SSL.WantReadError:
                return records(stream)

    def keys(self, key: int, salt: int) -> tuple[bytes, bytes]:
        """(sending, receiving): master key and salt."""
        material = self.ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        client = material[:key] + material[2 * key : 2 * key + salt]
        return client, material[key : 2 * key] + material[2 * key + salt :]


def records(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        end = 13 + int.from_bytes(stream[11:13], "big")
        found.append(stream[:end])
        stream = stream[end:]
    return found


def halves(hello: bytes, at: int = 70) -> list[bytes]:
    """One record with a ClientHello as two, cut like those of browsers with a large key share."""
    record, message, body = hello[:13], hello[13:25], hello[25:]

    def piece(number: int, offset: int, part: bytes) -> bytes:
        fragment = message[:6] + offset.to_bytes(3, "big") + len(part).to_bytes(3, "big") + part
        return record[:5] + number.to_bytes(6, "big") + len(fragment).to_bytes(2, "big") + fragment

    return [piece(0, 0, body[:at]), piece(1, at, body[at:])]


@dataclass
class BadWay:
    """Loses, doubles and reorders datagrams, always in the same way for a seed."""

    seed: int
    loss: float = 0.25
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def carry(self, datagrams: Sequence[bytes], deliver: Callable[[bytes], None]) -> None:
        passing = [each for each in datagrams if self._random.random() >= self.loss]
        passing += [each for each in passing if self._random.random() < 0.2]
        self._random.shuffle(passing)
        for each in passing:
            deliver(each)
