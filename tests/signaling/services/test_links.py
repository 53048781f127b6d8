"""Signed links: good as they were made until they end, and in no other way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.services.errors import Refused
from signaling.services.links import Links

NAME = "6b1f0b77c47e83aa5d10f31c.webm"
NOW = 1_772_440_500.0


def links(secret: bytes = b"a secret of the server") -> Links:
    made = Links("https://meet.example.org")
    made.open(secret)
    return made


def parts(url: str) -> tuple[str, str, str]:
    """Name, end and signature."""
    path, _, query = url.removeprefix("https://meet.example.org/media/").partition("?expires=")
    expires, _, signature = query.partition("&signature=")
    return path, expires, signature


def test_a_link_opens_its_file_until_it_ends():
    url = links().url(NAME, NOW + 3600)
    assert url.startswith(f"https://meet.example.org/media/{NAME}?expires=1772444100&signature=")
    links().check(*parts(url), NOW)
    links().check(*parts(url), NOW + 3599.9)
    with pytest.raises(Refused):
        links().check(*parts(url), NOW + 3600)


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        pytest.param(0, "6b1f0b77c47e83aa5d10f31d.webm", id="another file"),
        pytest.param(0, NAME + "\n1772444100", id="a name that looks like name and end"),
        pytest.param(1, "1772444101", id="a later end"),
        pytest.param(1, "01772444100", id="the same end in another spelling"),
        pytest.param(1, "١٧٧٢٤٤٤١٠٠", id="in other digits"),
        pytest.param(1, "", id="no end"),
        pytest.param(1, "-1", id="a negative end"),
        pytest.param(1, "9" * 400, id="an end beyond all numbers"),
        pytest.param(2, "", id="no signature"),
        pytest.param(2, "0" * 64, id="another signature"),
        pytest.param(2, "ü" * 64, id="a signature that is no ASCII"),
    ],
)
def test_an_altered_link_opens_nothing(part: int, changed: str):
    told = list(parts(links().url(NAME, NOW + 3600)))
    told[part] = changed
    with pytest.raises(Refused):
        links().check(told[0], told[1], told[2], NOW)


def test_a_link_of_another_server_opens_nothing():
    with pytest.raises(Refused):
        links().check(*parts(links(b"another secret").url(NAME, NOW + 3600)), NOW)


@given(st.text(max_size=80), st.text(max_size=15), st.text(max_size=70))
def test_no_made_up_link_opens_anything(name: str, expires: str, signature: str):
    with pytest.raises(Refused):
        links().check(name, expires, signature, NOW)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (links().url(NAME, NOW), NAME),
        (f"https://meet.example.org/media/{NAME}", NAME),
        ("https://meet.example.org/media/", None),
        ("https://meet.example.org/media/a/b.png", None),
        ("https://meet.example.org/mediate/b.png", None),
        ("https://meet.example.org.evil/media/b.png", None),
        ("http://meet.example.org/media/b.png", None),
    ],
)
def test_our_own_links_are_known(url: str, name: str | None):
    assert links().name_in(url) == name
