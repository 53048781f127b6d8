"""The handshake, the keys for SRTP it yields, and the encrypted messages of data channels.

A synchronous DTLS over OpenSSL's memory buffers: feed it datagrams, take away what is to be sent, what was received
and, once `state` is CONNECTED, the keys. It has no timer of its own: `timeout` says when to call `expired`. Which
datagrams reach it is `connection.py`'s concern (those from proved addresses), and so is how long a handshake may take.

The peer's description may come after its handshake: the state is UNVERIFIED then until `expect` brings the
fingerprints. RFC 6347 (DTLS 1.2; 1.3 when OpenSSL has it), RFC 5764 (SRTP keys), RFC 8122 (fingerprints).
"""

import contextlib
import datetime
import secrets
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Self, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from OpenSSL import SSL, crypto

from mediaserver.transport import dtls_records
from mediaserver.transport.dtls_records import Record
from mediaserver.transport.sdp import Fingerprint

CERTIFICATE_LIFE = datetime.timedelta(days=365)
MAX_FRESH_STARTS = 4  # failures over a first flight, which anybody might have garbled
MAX_RESENT_FLIGHTS = 12  # answers to hellos that come again
MAX_WAITING_MESSAGES = 64  # encrypted ones that nobody has taken yet

_DTLS_1_2 = 0xFEFD
_DTLS_1_3 = 0xFEFC
_READ_BYTES = 16384  # the largest record
_EXPORTER = b"EXTRACTOR-dtls_srtp"
_PROFILES = {  # key and salt, bytes; in the order of our preference: cheapest first
    "SRTP_AEAD_AES_128_GCM": (16, 12),
    "SRTP_AEAD_AES_256_GCM": (32, 12),
    "SRTP_AES128_CM_SHA1_80": (16, 14),
}
_HASHES: dict[str, hashes.HashAlgorithm] = {  # strongest first
    "sha-512": hashes.SHA512(),
    "sha-384": hashes.SHA384(),
    "sha-256": hashes.SHA256(),
}
_SUITES = [
    f"ECDHE-{key}-{cipher}"  # RSA as well: the certificates of peers that are no browsers
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
    for key in ("ECDSA", "RSA")
]

_T = TypeVar("_T")
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class State(Enum):
    HANDSHAKING = "handshaking"
    UNVERIFIED = "unverified"
    CONNECTED = "connected"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Keys:
    """For SRTP: the name of the profile; master key and salt, one behind the other, of each direction."""

    profile: str
    receive: bytes
    send: bytes


class Certificate:
    """Who we are to our peers. One OpenSSL context is shared by all connections: making one costs as much as half a
    handshake."""

    def __init__(self, certificate: x509.Certificate, key: PrivateKey) -> None:
        self.fingerprint = _fingerprint(certificate, "sha-256")
        self.context = _context(certificate, key)

    @classmethod
    def generate(cls) -> Self:
        """A new one, signed by itself, as browsers make them."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, secrets.token_hex(16))])
        now = datetime.datetime.now(tz=datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + CERTIFICATE_LIFE)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, certificate_file: str, key_file: str) -> Self:
        """From two PEM files; ValueError or OSError says what is wrong with which."""
        certificate = _read_pem(certificate_file, x509.load_pem_x509_certificate)
        key = _read_pem(key_file, lambda pem: serialization.load_pem_private_key(pem, None))
        if not isinstance(key, PrivateKey):
            raise ValueError(f"{key_file}: neither an EC nor an RSA key")
        if key.public_key() != certificate.public_key():
            raise ValueError(f"{key_file} is not the key of {certificate_file}")
        return cls(certificate, key)


class Dtls:
    """One association. We are the server unless `client` is said."""

    def __init__(self, certificate: Certificate, *, client: bool = False) -> None:
        self.state = State.HANDSHAKING
        self.why = ""
        """Why it is CLOSED."""
        self.keys: Keys | None = None
        self.client = client
        self.ignored = 0
        """Records that no peer would send."""
        self._certificate = certificate
        self._expected: tuple[Fingerprint, ...] | None = None
        self._out: list[bytes] = []
        self._messages: list[bytes] = []
        self._first_flight: list[bytes] = []  # the server's, as long as hellos may come again
        self._fresh_starts = 0
        self._resent = 0
        self._unencrypted = 0  # records so far
        self._ssl = self._new_association()

    def start(self) -> None:
        """The client's first step."""
        self._shake_hands()

    def expect(self, fingerprints: tuple[Fingerprint, ...]) -> None:
        """Says which certificate the peer has to show; may come after it did."""
        self._expected = fingerprints
        if self.state is State.UNVERIFIED:
            self._verify()

    def receive(self, datagram: bytes) -> None:
        """Takes one datagram. Never raises: what makes no sense is ignored."""
        if self.state is State.CLOSED:
            return
        records = [record for record in dtls_records.split(datagram) if self._sensible(record)]
        if not records:
            self.ignored += 1
            return
        self._ssl.bio_write(b"".join(map(self._numbered, records)))
        if self.state is State.HANDSHAKING:
            self._shake_hands()
        else:
            self._read()

    def datagrams(self) -> list[bytes]:
        """What is to be sent now."""
        out, self._out = self._out, []
        return out

    def messages(self) -> list[bytes]:
        """What the peer has sent through the encryption."""
        messages, self._messages = self._messages, []
        return messages

    def send(self, message: bytes) -> None:
        """Encrypts a message (at most about 1200 bytes) for the peer; without effect unless CONNECTED."""
        if self.state is not State.CONNECTED:
            return
        try:
            self._ssl.send(message)
        except SSL.Error as error:
            self._end(_text(error))
        self._flush()

    def timeout(self) -> float | None:
        """In how many seconds `expired` has to be called; None for not at all."""
        return self._ssl.DTLSv1_get_timeout() if self.state is State.HANDSHAKING else None

    def expired(self) -> None:
        """The timeout has passed: sends again what may have been lost."""
        if self.state is not State.HANDSHAKING:
            return
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error as error:
            self._end(_text(error))
        self._flush()

    def close(self, why: str = "closed") -> None:
        """Tells the peer and ends the association. May be called twice."""
        if self.state is State.CLOSED:
            return
        with contextlib.suppress(SSL.Error):  # there is nothing to shut down before the handshake is over
            self._ssl.shutdown()
        self._flush()
        self._end(why)

    def _new_association(self) -> SSL.Connection:
        ssl = SSL.Connection(self._certificate.context)
        ssl.set_ciphertext_mtu(dtls_records.PACKET_BYTES)
        ssl.set_app_data(weakref.ref(self))
        if self.client:
            ssl.set_connect_state()
        else:
            ssl.set_accept_state()
        return ssl

    def _sensible(self, record: Record) -> bool:
        """Whether OpenSSL may see the record."""
        if record.epoch < 0:
            return self._ssl.get_protocol_version() == _DTLS_1_3
        if record.epoch > 0:
            return True  # it has a key for it, or keeps it for a moment
        if self.state is not State.HANDSHAKING:
            return False
        if self._first_flight and dtls_records.begins_hello(record):
            self._answer_again()
            return False
        return dtls_records.plausible(record, from_client=not self.client)

    def _numbered(self, record: Record) -> bytes:
        if record.epoch:
            return record.data
        self._unencrypted += 1
        return dtls_records.renumbered(record, self._unencrypted)

    def _answer_again(self) -> None:
        """A hello came again: our answer was lost. Browsers ask after 50 ms, OpenSSL would resend after a second."""
        if self._resent < MAX_RESENT_FLIGHTS:
            self._resent += 1
            self._out += self._first_flight

    def _shake_hands(self) -> None:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            self._flush()
            if not (self.client or self._first_flight):
                self._first_flight = self._out.copy()
        except SSL.Error as error:
            self._fail(_text(error))
        else:
            self._flush()
            self.state = State.UNVERIFIED
            self._first_flight = []
            if self._expected is not None:
                self._verify()
            self._read()

    def _fail(self, why: str) -> None:
        """Tells the peer that the handshake failed; over a hello that may have been forged, another one is awaited."""
        if self.client or self._first_flight or self._fresh_starts == MAX_FRESH_STARTS:
            self._flush()
            self._end(why)
            return
        self._fresh_starts += 1
        self._ssl = self._new_association()

    def _verify(self) -> None:
        certificate = self._ssl.get_peer_certificate()
        if certificate is None or not self._recognises(certificate):
            self.close("the peer's certificate is not the announced one")
            return
        self.keys = self._export_keys()
        if self.keys is None:
            self.close("no SRTP profile in common")
            return
        self.state = State.CONNECTED

    def _recognises(self, certificate: crypto.X509) -> bool:
        """Compares with the strongest kind of fingerprint there is; several of a kind are alternatives."""
        if self._expected is None:
            return True  # for now: `_verify` follows
        told = {each.algorithm for each in self._expected}
        algorithm = next((name for name in _HASHES if name in told), None)
        if algorithm is None:
            return False
        digest = certificate.digest(algorithm.replace("-", "")).decode()
        return Fingerprint(algorithm, digest) in self._expected

    def _export_keys(self) -> Keys | None:
        """RFC 5764 section 4.2: client's key, server's key, client's salt, server's salt."""
        profile = self._ssl.get_selected_srtp_profile().decode()
        if profile not in _PROFILES:
            return None
        key, salt = _PROFILES[profile]
        material = self._ssl.export_keying_material(_EXPORTER, 2 * (key + salt))
        of_client = material[:key] + material[2 * key : 2 * key + salt]
        of_server = material[key : 2 * key] + material[2 * key + salt :]
        return Keys(profile, of_server, of_client) if self.client else Keys(profile, of_client, of_server)

    def _read(self) -> None:
        """Takes out what has been decrypted; the peer's farewell ends the association."""
        why = ""
        while self.state is not State.CLOSED and not why:
            try:
                message = self._ssl.recv(_READ_BYTES)
            except SSL.WantReadError:
                break
            except SSL.ZeroReturnError:
                why = "closed by the peer"
            except SSL.Error as error:
                why = _text(error)
            else:
                if len(self._messages) < MAX_WAITING_MESSAGES:
                    self._messages.append(message)
        self._flush()
        if why:
            self.close(why)

    def _flush(self) -> None:
        written = b""
        while True:
            try:
                written += self._ssl.bio_read(_READ_BYTES)
            except SSL.WantReadError:
                break
        self._out += dtls_records.pack(written)

    def _end(self, why: str) -> None:
        self.state = State.CLOSED
        self.why = why
        self.keys = None


def _context(certificate: x509.Certificate, key: PrivateKey) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_options(
        SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # 9 KiB less of an idle association
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _verify)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_cipher_list(":".join(_SUITES).encode())
    context.set_tlsext_use_srtp(":".join(_PROFILES).encode())
    return context


def _verify(ssl: SSL.Connection, certificate: crypto.X509, _error: int, depth: int, _ok: int) -> bool:
    """Nobody signs these certificates; what counts is the fingerprint. Said here, OpenSSL sends the right alert."""
    dtls = ssl.get_app_data()()
    return depth > 0 or dtls is None or dtls._recognises(certificate)


def _fingerprint(certificate: x509.Certificate, algorithm: str) -> Fingerprint:
    digest = certificate.fingerprint(_HASHES[algorithm])
    return Fingerprint(algorithm, digest.hex(":").upper())


def _read_pem(path: str, load: Callable[[bytes], _T]) -> _T:
    pem = Path(path).read_bytes()
    try:
        return load(pem)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None


def _text(error: SSL.Error) -> str:
    """What OpenSSL says, for people."""
    reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return ", ".join(reason[-1] for reason in reasons) or type(error).__name__
