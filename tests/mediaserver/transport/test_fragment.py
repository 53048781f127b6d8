"""ICE alone: candidates, new credentials, and our end of a restart."""

import pytest

from mediaserver.errors import BadDescription
from mediaserver.transport.fragment import IceFragment, read_fragment, write_fragment
from tests.support.descriptions import local

CANDIDATE = "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1"
RESTART = """a=ice-options:trickle ice2
a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=ice-ufrag:ysXw
a=ice-pwd:vw5LmwG4y/e6dPP/zAP9Gp5k
"""
CREDENTIALS = ("ysXw", "vw5LmwG4y/e6dPP/zAP9Gp5k")


@pytest.mark.parametrize(
    ("text", "credentials", "candidates"),
    [
        pytest.param(RESTART, CREDENTIALS, 0, id="new credentials"),
        pytest.param(RESTART + CANDIDATE, CREDENTIALS, 1, id="with a candidate"),
        pytest.param((RESTART + CANDIDATE).replace("\n", "\r\n"), CREDENTIALS, 1, id="lines end in CRLF"),
        pytest.param(CANDIDATE, None, 1, id="a candidate alone"),
        pytest.param("a=end-of-candidates", None, 0, id="no more"),
        pytest.param(f"{CANDIDATE}\n{CANDIDATE.replace('udp', 'sctp')}", None, 2, id="a transport we do not have"),
        pytest.param(f"{CANDIDATE}\n{CANDIDATE.replace('192.0.2.1', 'x.local')}", None, 2, id="a host we cannot find"),
        pytest.param(f"{CANDIDATE}\na=candidate:odd\na=end-of-candidates", None, 1, id="an odd one among others"),
    ],
)
def test_what_a_peer_says_of_ice_is_read(text: str, credentials: tuple[str, str] | None, candidates: int):
    fragment = read_fragment(text)
    assert (fragment.credentials, fragment.candidates) == (credentials, candidates)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("hello", id="no lines of the form"),
        pytest.param("a=mid:0\n", id="nothing of ICE"),
        pytest.param("a=ice-ufrag:ysXw\n", id="half of the credentials"),
        pytest.param("a=ice-ufrag:x\na=ice-pwd:short\n", id="credentials too short"),
        pytest.param("a=candidate:odd", id="nothing that can be read"),
        pytest.param(RESTART.replace("m=audio 9", "m=fax none"), id="odd section"),
        pytest.param(RESTART + "\0", id="control character"),
        pytest.param(CANDIDATE + "\n" + "a=x\n" * 5000, id="too many lines"),
        pytest.param(CANDIDATE + " " * 70_000, id="too long"),
    ],
)
def test_what_is_no_fragment_is_refused(text: str):
    with pytest.raises(BadDescription):
        read_fragment(text)


def test_our_end_of_a_restart_names_the_section_that_was_spoken_of():
    said = write_fragment(local(), read_fragment(RESTART)).split("\r\n")
    assert said[:4] == ["a=ice-lite", "a=ice-options:ice2", "a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111"]
    assert f"a=ice-ufrag:{local().ufrag}" in said
    assert f"a=ice-pwd:{local().pwd}" in said
    assert [line for line in said if line.startswith("a=candidate:")]
    assert said[-2:] == ["a=end-of-candidates", ""]


def test_a_restart_that_names_no_section_is_answered_without_one():
    said = write_fragment(local(), IceFragment(CREDENTIALS, 0))
    assert "m=" not in said
    assert "a=mid" not in said
