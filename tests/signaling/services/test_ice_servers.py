"""Which servers clients are told, and with which credentials."""

import base64
import hashlib
import hmac
from pathlib import Path

from signaling.services.ice_servers import ice_servers
from signaling.settings import Settings

NOW = 1_700_000_000.0


def servers(**settings):
    return ice_servers(Settings(data_dir=Path("unused"), **settings), "anna", NOW)


def test_without_configuration_there_are_none():
    assert servers() == []


def test_a_stun_server_needs_no_credential():
    assert servers(ice_servers=[{"urls": "stun:stun.example.org"}], turn={"shared_secret": "s"}) == [
        {"urls": ["stun:stun.example.org"]}
    ]


def test_a_fixed_credential_is_told_as_it_is():
    server = {"urls": ["turn:turn.example.org"], "username": "u", "credential": "c"}
    assert servers(ice_servers=[server], turn={"shared_secret": "s"}) == [server]


def test_a_shared_secret_makes_credentials_that_run_out():
    told = servers(
        ice_servers=[{"urls": ["turns:turn.example.org:443"]}], turn={"shared_secret": "s3cret", "ttl_seconds": 600}
    )
    username = f"{int(NOW) + 600}:anna"
    expected = base64.b64encode(hmac.new(b"s3cret", username.encode(), hashlib.sha1).digest()).decode()
    assert told == [{"urls": ["turns:turn.example.org:443"], "username": username, "credential": expected}]


def test_a_turn_server_without_a_secret_is_told_without_credentials():
    assert servers(ice_servers=[{"urls": ["turn:open.example.org"]}]) == [{"urls": ["turn:open.example.org"]}]
