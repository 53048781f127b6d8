"""DTLS against a client of pyOpenSSL alone: bad ways, wrong certificates, noise."""

import datetime
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.transport import dtls_records
from mediaserver.transport.dtls import MAX_FRESH_STARTS, MAX_WAITING_MESSAGES, Certificate, Dtls, State
from mediaserver.transport.sdp import Fingerprint
from tests.support.dtls_peer import PROFILES, BadWay, DtlsPeer, halves

LENGTHS = {"SRTP_AEAD_AES_128_GCM": (16, 12), "SRTP_AEAD_AES_256_GCM": (32, 12), "SRTP_AES128_CM_SHA1_80": (16, 14)}


def _signed(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "peer")])
    now = datetime.datetime.now(tz=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
    return builder.not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())


def _fingerprint(certificate, algorithm=hashes.SHA256, name="sha-256"):
    return Fingerprint(name, certificate.fingerprint(algorithm()).hex(":").upper())


OURS = Certificate.generate()
EC_KEY = ec.generate_private_key(ec.SECP256R1())
EC_CERTIFICATE = _signed(EC_KEY)
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_CERTIFICATE = _signed(RSA_KEY)
WRONG = Fingerprint("sha-256", ":".join(["00"] * 32))


@pytest.fixture
def server():
    dtls = Dtls(OURS)
    dtls.expect((_fingerprint(EC_CERTIFICATE),))
    return dtls


@pytest.fixture
def client():
    return DtlsPeer(EC_CERTIFICATE, EC_KEY)


def _shake(client, server, to_server=None):
    """A handshake (or what is left of it) over a perfect way; returns every datagram of the server."""
    to_server, sent = client.step() if to_server is None else to_server, []
    while to_server:
        for datagram in to_server:
            server.receive(datagram)
        answers = server.datagrams()
        sent += answers
        to_server = [datagram for answer in answers for datagram in client.step(answer)]
    return sent


def test_both_sides_end_up_with_the_same_keys(client, server):
    _shake(client, server)
    assert client.connected
    assert server.state is State.CONNECTED
    key, salt = LENGTHS[server.keys.profile]
    assert (server.keys.receive, server.keys.send) == client.keys(key, salt)
    assert server.timeout() is None


@pytest.mark.parametrize("offered", [*PROFILES, ":".join(reversed(PROFILES))])
def test_the_cheapest_profile_that_both_know_is_taken(offered, server):
    client = DtlsPeer(EC_CERTIFICATE, EC_KEY, offered.split(":"))
    _shake(client, server)
    assert server.keys.profile == min(offered.split(":"), key=PROFILES.index)
    assert len(server.keys.send) == sum(LENGTHS[server.keys.profile])


def test_a_peer_without_srtp_is_refused(server):
    client = DtlsPeer(EC_CERTIFICATE, EC_KEY, ())
    _shake(client, server)
    assert (server.state, server.why) == (State.CLOSED, "no SRTP profile in common")
    assert server.keys is None


@pytest.mark.parametrize("ciphers", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA"])
def test_a_peer_may_have_an_rsa_certificate(ciphers):
    server = Dtls(OURS)
    server.expect((_fingerprint(RSA_CERTIFICATE),))
    _shake(DtlsPeer(RSA_CERTIFICATE, RSA_KEY, ciphers=ciphers), server)
    assert server.state is State.CONNECTED


@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY])
def test_our_certificate_may_come_from_files(key, tmp_path, client):
    certificate = _signed(key)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    ours = Certificate.load(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    assert ours.fingerprint == _fingerprint(certificate)
    server = Dtls(ours)
    server.expect((_fingerprint(EC_CERTIFICATE),))
    client = DtlsPeer(EC_CERTIFICATE, EC_KEY, ciphers="ECDHE+AESGCM")
    _shake(client, server)
    assert server.state is State.CONNECTED
    assert client.ssl.get_peer_certificate().to_cryptography() == certificate


def test_files_that_do_not_fit_are_named(tmp_path):
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    certificate, key, other = (str(tmp_path / name) for name in ("cert.pem", "key.pem", "other.pem"))
    for path, content in [
        (certificate, EC_CERTIFICATE.public_bytes(pem)),
        (key, RSA_KEY.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)),
        (other, b"nothing"),
    ]:
        with open(path, "wb") as file:
            file.write(content)
    with pytest.raises(ValueError, match=r"key\.pem is not the key of .*cert\.pem"):
        Certificate.load(certificate, key)
    with pytest.raises(ValueError, match=r"other\.pem"):
        Certificate.load(other, key)
    with pytest.raises(ValueError, match=r"other\.pem"):
        Certificate.load(certificate, other)
    with pytest.raises(FileNotFoundError):
        Certificate.load(str(tmp_path / "missing.pem"), key)


@pytest.mark.parametrize(
    ("fingerprints", "accepted"),
    [
        pytest.param([_fingerprint(EC_CERTIFICATE)], True, id="sha-256"),
        pytest.param([_fingerprint(EC_CERTIFICATE, hashes.SHA384, "sha-384")], True, id="sha-384"),
        pytest.param([_fingerprint(EC_CERTIFICATE, hashes.SHA512, "sha-512")], True, id="sha-512"),
        pytest.param([WRONG, _fingerprint(EC_CERTIFICATE)], True, id="one of several"),
        pytest.param([WRONG], False, id="wrong"),
        pytest.param([_fingerprint(RSA_CERTIFICATE)], False, id="of another certificate"),
        pytest.param([WRONG, _fingerprint(EC_CERTIFICATE, hashes.SHA512, "sha-512")], True, id="strongest counts"),
        pytest.param(
            [_fingerprint(EC_CERTIFICATE), Fingerprint("sha-512", ":".join(["00"] * 64))],
            False,
            id="only the strongest",
        ),
        pytest.param([_fingerprint(EC_CERTIFICATE, hashes.SHA1, "sha-1")], False, id="too weak"),
        pytest.param([], False, id="none"),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_the_certificate_has_to_be_the_announced_one(fingerprints, accepted, late, client):
    server = Dtls(OURS)
    if not late:
        server.expect(tuple(fingerprints))
    _shake(client, server)
    if late:
        assert (server.state, server.keys) == (State.UNVERIFIED, None)
        server.expect(tuple(fingerprints))
        for datagram in server.datagrams():
            client.step(datagram)
    assert server.state is (State.CONNECTED if accepted else State.CLOSED)
    assert bool(server.keys) is accepted
    assert bool(client.error) is not accepted, "a refused peer is told so"


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0, 1), (1, 1, 0)])
def test_a_hello_in_two_datagrams_works_in_any_order(order, client, server):
    pieces = halves(client.step()[0])
    _shake(client, server, [pieces[index] for index in order])
    assert server.state is State.CONNECTED


@pytest.mark.parametrize("lost", [0, 1])
def test_a_hello_whose_half_was_lost_works_when_it_comes_again(lost, client, server):
    hello = client.step()[0]
    server.receive(halves(hello)[1 - lost])
    assert server.datagrams() == []
    _shake(client, server, halves(hello))
    assert server.state is State.CONNECTED


def test_a_hello_that_comes_again_is_answered_again_at_once(client, server):
    hello = client.step()[0]
    server.receive(hello)
    lost = server.datagrams()
    server.receive(hello[:5] + (9).to_bytes(6, "big") + hello[11:])
    assert server.datagrams() == lost
    for _ in range(1000):
        server.receive(hello)
    assert len(server.datagrams()) < 100


@pytest.mark.parametrize("seed", range(25))
def test_loss_doubling_and_reordering_only_delay_the_handshake(seed, client, server):
    way = BadWay(seed)
    flight, answer = halves(client.step()[0]), []

    def at_server(datagram):
        nonlocal answer
        server.receive(datagram)
        answer = server.datagrams() or answer

    def at_client(datagram):
        nonlocal flight
        flight = client.step(datagram) or flight

    for _ in range(100):  # each round stands for a timer of the client
        way.carry(list(flight), at_server)
        way.carry(list(answer), at_client)
    assert server.state is State.CONNECTED
    assert client.connected
    key, salt = LENGTHS[server.keys.profile]
    assert (server.keys.receive, server.keys.send) == client.keys(key, salt)


def test_datagrams_are_cut_at_records_and_short(client):
    server = Dtls(Certificate(RSA_CERTIFICATE, RSA_KEY))
    server.expect((_fingerprint(EC_CERTIFICATE),))
    sent = _shake(client, server)
    assert server.state is State.CONNECTED
    assert all(len(datagram) <= dtls_records.PACKET_BYTES for datagram in sent)
    assert all(b"".join(record.data for record in dtls_records.split(each)) == each for each in sent)


def test_messages_pass_both_ways(client, server):
    _shake(client, server)
    for datagram in client.send(b"to server") + client.send(b"more"):
        server.receive(datagram)
    assert server.messages() == [b"to server", b"more"]
    assert server.messages() == []
    server.send(b"to client")
    for datagram in server.datagrams():
        client.step(datagram)
    assert client.received == [b"to client"]


def test_messages_nobody_takes_are_bounded(client, server):
    _shake(client, server)
    for _ in range(MAX_WAITING_MESSAGES * 2):
        for datagram in client.send(b"x"):
            server.receive(datagram)
    assert len(server.messages()) == MAX_WAITING_MESSAGES


def test_a_farewell_ends_it(client, server):
    _shake(client, server)
    for datagram in client.close():
        server.receive(datagram)
    assert (server.state, server.why) == (State.CLOSED, "closed by the peer")
    server.receive(b"\x17")
    server.send(b"late")
    server.close()
    assert server.why == "closed by the peer"


def test_closing_tells_the_peer(client, server):
    _shake(client, server)
    server.close()
    server.close()
    for datagram in server.datagrams():
        client.step(datagram)
    assert client.error
    assert server.state is State.CLOSED


def test_closing_before_the_handshake_is_over_is_quiet(server):
    server.close("not needed")
    assert (server.state, server.why, server.datagrams()) == (State.CLOSED, "not needed", [])


def test_a_lost_last_flight_is_sent_again(client, server):
    for datagram in client.step():
        server.receive(datagram)
    for answer in server.datagrams():
        for datagram in client.step(answer):
            server.receive(datagram)
    assert server.state is State.CONNECTED
    server.datagrams()
    time.sleep(client.ssl.DTLSv1_get_timeout())  # OpenSSL reads the system's clock itself
    for datagram in client.resend():
        server.receive(datagram)
    for datagram in server.datagrams():
        client.step(datagram)
    assert client.connected


def _noise():
    for first in range(256):
        for size in (1, 2, 12, 13, 14, 40, 1200):
            yield bytes([first]) + bytes((first * 7 + index * 31) & 255 for index in range(size - 1))
            if size > 13:
                yield bytes([first]) + b"\xfe\xfd" + bytes(8) + (size - 13).to_bytes(2, "big") + bytes(size - 13)
                yield bytes([first]) + b"\xfe\xfd\0\1" + bytes(6) + (size - 13).to_bytes(2, "big") + bytes(size - 13)
    yield b""
    yield bytes(65507)
    yield bytes.fromhex("14fefd0000ffffffffffff0001 01")  # the highest number: all others would be old
    yield bytes.fromhex("15fefd00000000000000000002 0228")  # a forged alert: handshake failure
    yield bytes.fromhex("14fefd00000000000000000001 01")  # a change of keys that is not due


@pytest.mark.parametrize("stage", ["before", "between", "after"])
def test_noise_ends_nothing(stage, client, server):
    if stage == "after":
        _shake(client, server)
    hello = client.step()
    if stage == "between":
        server.receive(hello[0])
        hello = [datagram for answer in server.datagrams() for datagram in client.step(answer)]
    for noise in _noise():
        server.receive(noise)
    assert server.state is (State.CONNECTED if stage == "after" else State.HANDSHAKING)
    assert server.ignored
    server.datagrams()
    _shake(client, server, hello if stage != "after" else client.send(b"still here"))
    assert server.state is State.CONNECTED
    assert client.connected
    assert stage != "after" or server.messages() == [b"still here"]


def test_a_garbled_hello_does_not_spoil_the_real_one(client, server):
    hello = client.step()[0]
    for _ in range(MAX_FRESH_STARTS):
        server.receive(hello[:60] + bytes(len(hello) - 60))
        assert server.datagrams() == []
    _shake(client, server, [hello])
    assert server.state is State.CONNECTED


def test_a_peer_that_has_nothing_in_common_is_told_in_the_end(server):
    client = DtlsPeer(EC_CERTIFICATE, EC_KEY, ciphers="ECDHE-RSA-AES128-GCM-SHA256")
    hello = client.step()[0]
    for _ in range(MAX_FRESH_STARTS + 1):
        server.receive(hello)
    assert server.state is State.CLOSED
    for datagram in server.datagrams():
        client.step(datagram)
    assert "alert" in client.error


def test_we_can_be_the_client_of_a_peer_that_wants_to_be_server():
    client, server = Dtls(OURS, client=True), Dtls(Certificate(RSA_CERTIFICATE, RSA_KEY))
    client.expect((_fingerprint(RSA_CERTIFICATE),))
    server.expect((OURS.fingerprint,))
    client.start()
    while flight := client.datagrams():
        for datagram in flight:
            server.receive(datagram)
        for datagram in server.datagrams():
            client.receive(datagram)
    assert (client.state, server.state) == (State.CONNECTED, State.CONNECTED)
    assert client.keys.send == server.keys.receive
    assert client.keys.receive == server.keys.send


def test_a_handshake_asks_for_its_timer(client, server):
    assert server.timeout() is None
    for datagram in client.step():
        server.receive(datagram)
    assert 0 < server.timeout() <= 1.0
    server.datagrams()
    server.expired()  # not due yet: nothing happens
    assert server.datagrams() == []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=100), max_size=5), st.integers(0, 2))
def test_random_datagrams_never_raise(datagrams, stage):
    server, client = Dtls(OURS), DtlsPeer(EC_CERTIFICATE, EC_KEY)
    if stage:
        server.receive(client.step()[0])
    if stage == 2:
        _shake(client, server)
    before = server.state
    for datagram in datagrams:
        server.receive(datagram)
        server.receive(b"\x16\xfe\xfd" + bytes(8) + len(datagram).to_bytes(2, "big") + datagram)
    assert server.state is before


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_hello_never_raises(data):
    hello = bytearray(DtlsPeer(EC_CERTIFICATE, EC_KEY).step()[0])
    hello[data.draw(st.integers(0, len(hello) - 1))] ^= data.draw(st.integers(1, 255))
    server = Dtls(OURS)
    server.receive(bytes(hello))
    assert server.state is State.HANDSHAKING
