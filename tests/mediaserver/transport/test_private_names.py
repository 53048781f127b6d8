"""Every name of aiortc and pyOpenSSL that we use and that is not promised to stay: read this when raising a pin."""

import inspect

import pytest
from aiortc import rtcsctptransport
from aiortc.rtcdatachannel import RTCDataChannel
from OpenSSL import SSL, crypto

SOURCE = inspect.getsource(rtcsctptransport.RTCSctpTransport)


@pytest.mark.parametrize(
    "name",
    ["_advertised_rwnd", "_inbound_streams_max", "_inbound_streams", "_sack_misordered", "_remote_max_message_size"],
)
async def test_sctp_has_the_attributes_that_bound_it(name):
    assert hasattr(rtcsctptransport.RTCSctpTransport(_Transport()), name)


def test_sctp_takes_packets_by_a_method_that_only_waits_for_its_transport():
    assert inspect.iscoroutinefunction(rtcsctptransport.RTCSctpTransport._handle_data)
    assert inspect.signature(rtcsctptransport.RTCSctpTransport._handle_data).parameters.keys() == {"self", "data"}
    assert "asyncio.sleep" not in SOURCE
    assert "wait_for" not in SOURCE


def test_sctp_asks_its_transport_for_nothing_new():
    asked = {
        part.split("(")[0].split(")")[0].split()[0].rstrip(".,:")
        for spelling in ("self.__transport.", "self.transport.")
        for part in SOURCE.split(spelling)[1:]
    }
    assert asked == {"_register_data_receiver", "_unregister_data_receiver", "_send_data", "_role"}
    assert "transport.state" in SOURCE


def test_a_channel_tells_how_much_waits():
    assert {"bufferedAmount", "readyState", "label", "send"} <= set(dir(RTCDataChannel))


@pytest.mark.parametrize(
    "name",
    [
        *("bio_read", "bio_write", "do_handshake", "recv", "send", "shutdown", "set_app_data", "get_app_data"),
        *("DTLSv1_get_timeout", "DTLSv1_handle_timeout", "set_ciphertext_mtu", "get_protocol_version"),
        *("set_accept_state", "set_connect_state", "export_keying_material", "get_selected_srtp_profile"),
        "get_peer_certificate",
    ],
)
def test_openssl_connections_have(name):
    assert callable(getattr(SSL.Connection, name))


@pytest.mark.parametrize(
    "name",
    [
        "OP_NO_QUERY_MTU",
        "OP_NO_TICKET",
        "OP_NO_RENEGOTIATION",
        "OP_CIPHER_SERVER_PREFERENCE",
        "SESS_CACHE_OFF",
        "MODE_RELEASE_BUFFERS",
    ],
)
def test_openssl_knows_the_option(name):
    assert isinstance(getattr(SSL, name), int)


def test_openssl_hands_certificates_to_cryptography():
    assert callable(crypto.X509.to_cryptography)
    assert callable(SSL.Context.set_tlsext_use_srtp)


class _Transport:
    state = "connected"
    _role = "server"
