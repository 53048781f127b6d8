import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.addresses import PORTS, check_address, pinned, read_target, special
from signaling.services.errors import FetchRefused


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("0.0.0.0", "an unspecified"),
        ("0.1.2.3", "an unspecified"),
        ("10.255.255.255", "a private"),
        ("100.64.0.1", "a shared"),
        ("100.100.100.200", "a shared"),
        ("127.0.0.1", "a loopback"),
        ("127.255.255.254", "a loopback"),
        ("168.63.129.16", "a platform's"),
        ("169.254.169.254", "a link-local"),
        ("172.16.0.1", "a private"),
        ("172.31.255.255", "a private"),
        ("192.0.0.192", "a reserved"),
        ("192.88.99.1", "a 6to4 relay"),
        ("192.168.0.1", "a private"),
        ("198.18.0.1", "a benchmarking"),
        ("203.0.113.7", "a documentation"),
        ("224.0.0.1", "a multicast"),
        ("255.255.255.255", "a reserved"),
        ("::", "an unspecified"),
        ("::1", "a loopback"),
        ("::7f00:1", "a reserved"),
        ("::ffff:127.0.0.1", "an IPv4-mapped"),
        ("::ffff:8.8.8.8", "an IPv4-mapped"),
        ("64:ff9b::7f00:1", "a NAT64"),
        ("64:ff9b::808:808", "a NAT64"),
        ("64:ff9b:1::a00:1", "a NAT64"),
        ("2001:0:4136:e378::1", "a Teredo"),
        ("2001:db8::1", "a documentation"),
        ("2002:7f00:1::", "a 6to4"),
        ("3fff::1", "a documentation"),
        ("fc00::1", "a private"),
        ("fd00:ec2::254", "a private"),
        ("fe80::1", "a link-local"),
        ("fe80::1%eth0", "a link-local"),
        ("fec0::1", "a reserved"),
        ("ff02::1", "a multicast"),
        ("100::1", "a reserved"),
        ("not an address", "an unreadable"),
    ],
)
def test_an_address_that_is_not_everybodys_is_refused(address: str, what: str):
    assert special(address) == what
    with pytest.raises(FetchRefused, match=f"leads to {what} address"):
        check_address(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "2a00::1"],
)
def test_an_ordinary_address_is_not(address: str):
    check_address(address)


@given(st.ip_addresses())
def test_what_the_standard_library_calls_private_is_refused(address: ipaddress.IPv4Address | ipaddress.IPv6Address):
    if not address.is_global or address.is_multicast:
        assert special(str(address)) is not None


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://example.org", "example.org", 80),
        ("https://Example.ORG/a?b=c#d", "example.org", 443),
        ("HTTP://example.org:8080/", "example.org", 8080),
        ("http://example.org./", "example.org", 80),
        ("http://a_b.example/", "a_b.example", 80),
        ("http://8.8.8.8/", "8.8.8.8", 80),
        ("http://8.8.8.8./", "8.8.8.8", 80),
        ("http://[2606:4700::1111]:81/", "2606:4700::1111", 81),
        ("http://münchen.example/", "xn--mnchen-3ya.example", 80),
    ],
)
def test_a_url_leads_to_a_host_and_a_port(url: str, host: str, port: int):
    target = read_target(url)
    assert (target.host, target.port) == (host, port)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org/",
        "http://",
        "http:///path",
        "http://:80/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "data:text/plain,a",
        "javascript:alert(1)",
        "unix:/run/socket",
        "http+unix://socket/",
        pytest.param("http://user@example.org/", id="user"),
        pytest.param("http://user:word@example.org/", id="password"),
        pytest.param("http://example.org@127.0.0.1/", id="host that is a user"),
        pytest.param("http://127.0.0.1:80@example.org/", id="address that is a user"),
        pytest.param("http://@example.org/", id="empty user"),
        pytest.param("http://example.org\\@127.0.0.1/", id="backslash"),
        pytest.param("http://example.org/ HTTP/1.1\r\nHost: a", id="line break"),
        pytest.param("http://exam\tple.org/", id="tab"),
        pytest.param(" http://example.org/", id="space before"),
        pytest.param("http://example.org\x00.a/", id="zero byte"),
        pytest.param("http://0177.0.0.1/", id="octal"),
        pytest.param("http://0x7f.0.0.1/", id="hexadecimal in parts"),
        pytest.param("http://0x7f000001/", id="hexadecimal"),
        pytest.param("http://2130706433/", id="one number"),
        pytest.param("http://127.1/", id="short"),
        pytest.param("http://127.0.0.01/", id="leading zero"),
        pytest.param("http://1.2.3.4.5/", id="five parts"),
        pytest.param("http://127.0.0.0x1/", id="last part hexadecimal"),
        pytest.param("http://%31%32%37.0.0.1/", id="percent"),
        pytest.param("http://[::1%25lo]/", id="zone"),
        pytest.param("http://[fe80::1%eth0]/", id="bare zone"),
        pytest.param("http://[::1/", id="open bracket"),
        pytest.param("http://[not]/", id="no address in brackets"),
        pytest.param("http://[127.0.0.1]/", id="IPv4 in brackets"),
        pytest.param("http://a..b/", id="empty label"),
        pytest.param(f"http://{'a' * 64}.example/", id="long label"),
        pytest.param("http://example.org:0/", id="port zero"),
        pytest.param("http://example.org:65536/", id="port too large"),
        pytest.param("http://example.org:port/", id="port no number"),
        pytest.param("http://example.org/" + "a" * 2048, id="long"),
        pytest.param("http://①②⑦.⓪.⓪.①:port/", id="circled digits and a port"),
    ],
)
def test_a_url_that_somebody_might_read_differently_is_refused(url: str):
    with pytest.raises(FetchRefused):
        read_target(url)


def test_digits_of_other_scripts_are_the_address_they_become():
    assert special(read_target("http://①②⑦.⓪.⓪.①/").host) == "a loopback"


@given(st.text(max_size=60))
def test_whatever_follows_the_scheme_is_read_or_refused(rest: str):
    try:
        target = read_target(f"http://{rest}")
    except FetchRefused:
        return
    assert target.host
    assert 0 < target.port < 65536


def test_other_schemes_are_for_those_who_ask_for_them():
    with pytest.raises(FetchRefused, match="rtmp:// or rtmps://"):
        read_target("http://example.org/", ("rtmp", "rtmps"))
    target = read_target("rtmp://user:word@example.org/live/key", ("rtmp", "rtmps"), credentials=True)
    assert (target.host, target.port) == ("example.org", PORTS["rtmp"])


@pytest.mark.parametrize(
    ("url", "address", "there"),
    [
        ("rtmp://example.org/live/key?a=b", "8.8.8.8", "rtmp://8.8.8.8:1935/live/key?a=b"),
        ("rtmps://user:word@example.org:4430/live", "2a00::1", "rtmps://user:word@[2a00::1]:4430/live"),
    ],
)
def test_a_url_can_be_pinned_to_the_address_that_was_checked(url: str, address: str, there: str):
    assert pinned(read_target(url, PORTS, credentials=True), address) == there
