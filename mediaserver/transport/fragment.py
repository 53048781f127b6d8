"""The part of a session description that is about ICE alone: new candidates, or new credentials. Pure.

A peer sends one to add candidates (of no use to us, who only answer checks: they are looked at and forgotten) or to
restart ICE, and gets one back for a restart. RFC 8840 (`application/trickle-ice-sdpfrag`), RFC 9725 section 4.3.
"""

import re
from dataclasses import dataclass

from mediaserver.errors import BadDescription
from mediaserver.transport import sdp_lines as lines
from mediaserver.transport.bundle import ICE_OPTIONS, LocalTransport
from mediaserver.transport.sdp import MAX_LINES, MAX_SIZE_BYTES

_FORBIDDEN = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")
_SECTION = re.compile(r"m=(audio|video|application) [0-9]{1,5} [A-Z/]{3,32}( [A-Za-z0-9-]{1,32}){1,64}")
_LINE = re.compile(r"[a-z]=.*")


@dataclass(frozen=True, slots=True)
class IceFragment:
    """What a peer says. `section` is its first m= line with its `mid`, `group` the mids of the bundle."""

    credentials: tuple[str, str] | None
    """User fragment and password."""
    candidates: int
    """How many could be read."""
    section: str | None = None
    mid: str | None = None
    group: str | None = None


def read_fragment(text: str) -> IceFragment:
    """Raises `BadDescription` if it is none. Candidates that nothing can be made of are skipped."""
    if len(text) > MAX_SIZE_BYTES or text.count("\n") > MAX_LINES or _FORBIDDEN.search(text):
        raise BadDescription("too long, or with control characters")
    found: dict[str, str] = {}
    candidates = 0
    for line in filter(None, text.replace("\r\n", "\n").split("\n")):
        if not _LINE.fullmatch(line):
            raise BadDescription("a line is not of the form <letter>=<value>")
        if line.startswith("m="):
            found.setdefault("section", _section(line))
            continue
        name, _, value = line.removeprefix("a=").partition(":")
        if name == "candidate":
            candidates += _usable(value)
        elif line.startswith("a="):
            found.setdefault(name, value.strip())
    return _fragment(found, candidates)


def write_fragment(local: LocalTransport, like: IceFragment) -> str:
    """Our end of a restarted transport, for the section that `like` speaks of."""
    said = ["a=ice-lite", f"a=ice-options:{' '.join(ICE_OPTIONS)}"]
    said += [f"a=group:BUNDLE {like.group}"] if like.group else []
    said += [like.section] if like.section else []
    said += [f"a=mid:{like.mid}"] if like.mid else []
    said += [f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.pwd}"]
    said += [f"a={lines.write_candidate(candidate)}" for candidate in local.candidates]
    return "".join(f"{line}\r\n" for line in (*said, "a=end-of-candidates"))


def _section(line: str) -> str:
    if not _SECTION.fullmatch(line):
        raise BadDescription("an m= line cannot be read")
    return line


def _usable(value: str) -> bool:
    """Whether a candidate can be read; a peer's odd ones are not worth refusing the others for."""
    try:
        lines.parse_candidate(value)
    except BadDescription:
        return False
    return True


def _fragment(found: dict[str, str], candidates: int) -> IceFragment:
    ufrag, pwd = found.get("ice-ufrag"), found.get("ice-pwd")
    if (ufrag is None) != (pwd is None):
        raise BadDescription("of ice-ufrag and ice-pwd only one is there")
    if ufrag is None and not candidates and "end-of-candidates" not in found and "candidate" not in found:
        raise BadDescription("it says nothing of ICE")
    return IceFragment(
        credentials=(lines.parse_credential(ufrag, 4), lines.parse_credential(pwd, 22)) if ufrag and pwd else None,
        candidates=candidates,
        section=found.get("section"),
        mid=lines.parse_mid(found["mid"]) if "mid" in found else None,
        group=_group(found.get("group", "")),
    )


def _group(value: str) -> str | None:
    words = value.split()
    if words[:1] != ["BUNDLE"] or len(words) > MAX_LINES:
        return None
    return " ".join(lines.parse_mid(word) for word in words[1:]) or None
