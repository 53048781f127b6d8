"""Who may import what: the directions between the parts, read from the import lines of every file.

A broken rule is reported as `file:line: imports <name>: <rule>`.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("mediaserver", "signaling")

PURE = (
    "mediaserver/rtp/*.py",
    "mediaserver/errors.py",
    "mediaserver/events.py",
    "mediaserver/stats.py",
    "mediaserver/conference/claims.py",
    "mediaserver/conference/downlink.py",
    "mediaserver/conference/slots.py",
    "mediaserver/conference/wishes.py",
    "mediaserver/transport/*.py",
    "mediaserver/media/depacketize.py",
    "mediaserver/media/formats.py",
    "mediaserver/media/headers.py",
    "mediaserver/media/intake.py",
    "mediaserver/media/jitter.py",
    "mediaserver/media/packetize.py",
    "mediaserver/media/timeline.py",
    "mediaserver/recording/ebml.py",
    "mediaserver/recording/journal.py",
    "mediaserver/egress/cmaf.py",
    "mediaserver/egress/parts.py",
    "mediaserver/egress/playlist.py",
    "mediaserver/egress/amf.py",
    "mediaserver/egress/backlog.py",
    "mediaserver/egress/chunks.py",
    "mediaserver/egress/flv.py",
    "mediaserver/egress/publishing.py",
    "mediaserver/egress/tries.py",
    "mediaserver/composition/encoding.py",
    "mediaserver/composition/layouts.py",
    "mediaserver/composition/seats.py",
    "signaling/services/doors.py",
    "signaling/services/lifecycle.py",
    "signaling/services/links.py",
    "signaling/services/mesh.py",
    "signaling/services/archive_views.py",
    "signaling/services/recording/states.py",
    "signaling/services/session_callers.py",
    "signaling/services/session_rules.py",
    "signaling/services/spaces/report.py",
    "signaling/services/spaces/rules.py",
    "signaling/services/storage_plans.py",
    "signaling/services/upgrade.py",
    "signaling/live/held.py",
    "signaling/addresses.py",
    "signaling/jwts.py",
    "signaling/tokens.py",
    "signaling/live/protocol.py",
    "signaling/live/offers.py",
    "signaling/webhooks/payloads.py",
    "signaling/webhooks/schedule.py",
)
IMPURE_MODULES = ("asyncio", "socket", "time", "random", "threading")


@dataclass(frozen=True)
class Rule:
    """Files of `where` (but not of `but`) never import `never`, except `allowed`, nor anything within `inside`."""

    name: str
    where: tuple[str, ...]
    never: tuple[str, ...]
    allowed: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()


MEDIA_UPPER = tuple(f"mediaserver.{part}" for part in ("media", "recording", "composition", "egress", "ingest"))
GROUND = ("mediaserver/errors.py", "mediaserver/events.py", "mediaserver/clock.py", "mediaserver/config.py")
HOMES: dict[str, tuple[str, ...]] = {
    "OpenSSL": ("mediaserver/transport/dtls.py",),
    "cryptography": ("mediaserver/transport/dtls.py", "signaling/sealing.py"),
    "aiortc": tuple(f"mediaserver/transport/{name}.py" for name in ("dtls", "datachannel", "ice_full")),
    "aioice": ("mediaserver/transport/ice_full.py",),
    "av": (
        "mediaserver/media/codecs.py",
        "mediaserver/media/films.py",
        "mediaserver/media/pictures.py",
        "mediaserver/recording/webm.py",
        "mediaserver/egress/*",
        "mediaserver/ingest/*",
    ),
    "PIL": ("mediaserver/composition/layers.py", "mediaserver/egress/snapshot.py", "signaling/jail/pictures.py"),
    "pypdfium2": ("signaling/jail/pictures.py",),
    "resvg_py": ("signaling/jail/pictures.py",),
    "openpyxl": ("signaling/services/spaces/workbook.py",),
    "sqlalchemy": ("signaling/store/*",),
    "alembic": ("signaling/store/*",),
    "redis": ("signaling/cluster/*",),
    "obstore": ("signaling/objects.py",),
    "joserfc": ("signaling/jwts.py",),
    "aiohttp": (
        "signaling/api/*",
        "signaling/live/*",
        "signaling/app.py",
        "signaling/assembly/*",
        "signaling/client/*",
        "signaling/appkeys.py",
        "signaling/middleware.py",
        "signaling/fetch.py",
        "signaling/responses.py",
        "signaling/webhooks/delivery.py",
        "signaling/__main__.py",
    ),
}

SHELLS = tuple(
    f"mediaserver/transport/{name}.py"
    for name in ("port", "tcp", "sockets", "path", "dtls", "datachannel", "connection", "ice_full", "relay")
)

WORKER = tuple(  # where all meet
    f"mediaserver/composition/{name}.py" for name in ("desk", "outlets", "program", "worker", "writing")
)

RULES = (
    Rule("pure files have no clock, socket, task or chance", PURE, IMPURE_MODULES, but=SHELLS),
    Rule("the media plane knows nothing of signaling", ("mediaserver/*",), ("signaling",)),
    Rule(
        "the ground imports nothing of ours but itself",
        (*GROUND, "mediaserver/rtp/*"),
        ("mediaserver", "signaling"),
        allowed=tuple(f"mediaserver.{name}" for name in ("rtp", "errors", "events", "clock", "config")),
    ),
    Rule(
        "transport stands below conference",
        ("mediaserver/transport/*",),
        ("mediaserver.conference", "mediaserver.server", *MEDIA_UPPER),
    ),
    Rule(
        "conference stands below what is made of its media",
        ("mediaserver/conference/*",),
        ("mediaserver.server", *MEDIA_UPPER),
    ),
    Rule(
        "native sources and sinks belong to router.py",
        ("mediaserver/conference/*",),
        ("mediaserver.native",),
        but=("mediaserver/conference/router.py",),
    ),
    *(
        Rule(
            "recording, composition, egress and ingest keep apart",
            (f"{part.replace('.', '/')}/*",),
            tuple(other for other in MEDIA_UPPER if other not in (part, "mediaserver.media")),
            allowed=("mediaserver.egress.output",),
            but=WORKER,
        )
        for part in MEDIA_UPPER
    ),
    Rule("only the public names of the media plane are used outside", ("signaling/*",), (), inside=("mediaserver",)),
    Rule(
        "the jail has nothing of ours",
        ("signaling/jail/*",),
        ("mediaserver", "signaling"),
        allowed=("signaling.jail",),
    ),
    Rule("decoders run in the jail", ("signaling/*",), ("signaling.jail",), but=("signaling/jail/*",)),
    Rule("handlers act through services", ("signaling/api/*", "signaling/live/*"), ("signaling.store",)),
    Rule(
        "services know no HTTP",
        ("signaling/services/*",),
        ("aiohttp", "signaling.api", "signaling.live", "signaling.app"),
    ),
    *(
        Rule(f"{library} has one home", ("mediaserver/*", "signaling/*"), (library,), but=homes)
        for library, homes in HOMES.items()
    ),
)


@dataclass(frozen=True)
class Import:
    file: str
    line: int
    module: str
    names: tuple[str, ...] = ()

    def reaches(self) -> Iterator[str]:
        """The modules this line may load: `from a import b` may be the module a.b."""
        yield self.module
        yield from (f"{self.module}.{name}" for name in self.names)


def imports_of(path: Path, root: Path = ROOT) -> Iterator[Import]:
    file = path.relative_to(root)
    for node in ast.walk(ast.parse(path.read_text(), str(file))):
        if isinstance(node, ast.Import):
            yield from (Import(str(file), node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ".".join(file.parts[: len(file.parts) - node.level]) if node.level else ""
            module = ".".join(part for part in (package, node.module) if part)
            yield Import(str(file), node.lineno, module, tuple(alias.name for alias in node.names))


def within(module: str, parents: tuple[str, ...]) -> bool:
    return any(module == parent or module.startswith(parent + ".") for parent in parents)


def matches(file: str, patterns: tuple[str, ...]) -> bool:
    return any(Path(file).match(p) or (p.endswith("/*") and file.startswith(p[:-1])) for p in patterns)


def broken_by(line: Import, rule: Rule) -> bool:
    if not matches(line.file, rule.where) or matches(line.file, rule.but) or within(line.module, rule.allowed):
        return False
    if line.module.startswith(tuple(f"{package}." for package in rule.inside)):
        return True
    return any(within(module, rule.never) and not within(module, rule.allowed) for module in line.reaches())


def complaints(lines: Iterator[Import], rule: Rule) -> list[str]:
    return [f"{line.file}:{line.line}: imports {line.module}: {rule.name}" for line in lines if broken_by(line, rule)]


def all_imports() -> Iterator[Import]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield from imports_of(path)


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in RULES])
def test_no_import_breaks_a_rule(rule: Rule) -> None:
    assert complaints(all_imports(), rule) == []


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        pytest.param("mediaserver/rtp/a.py", "import time", "pure files", id="clock in a pure file"),
        pytest.param("mediaserver/transport/stun.py", "from time import monotonic", "pure files", id="name of a clock"),
        pytest.param("mediaserver/server.py", "import signaling.app", "knows nothing of signaling", id="upwards"),
        pytest.param("mediaserver/transport/a.py", "from mediaserver import conference", "below", id="from a package"),
        pytest.param("mediaserver/transport/a.py", "from ..conference import slots", "below", id="relative"),
        pytest.param("mediaserver/conference/a.py", "def f():\n import mediaserver.native", "router.py", id="nested"),
        pytest.param("mediaserver/egress/a.py", "import mediaserver.recording.webm", "keep apart", id="sideways"),
        pytest.param("signaling/services/a.py", "import aiohttp", "services know no HTTP", id="http in a service"),
        pytest.param("signaling/services/a.py", "from mediaserver.errors import X", "public names", id="inside"),
        pytest.param("signaling/api/a.py", "from signaling.store import rooms", "through services", id="store"),
        pytest.param("mediaserver/server.py", "import OpenSSL", "OpenSSL has one home", id="foreign library"),
    ],
)
def test_a_broken_rule_is_told_with_file_and_line(tmp_path: Path, file: str, source: str, complaint: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    told = [text for rule in RULES for text in complaints(imports_of(path, tmp_path), rule)]
    assert any(text.startswith(f"{file}:") and complaint in text for text in told)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        pytest.param("signaling/services/a.py", "from mediaserver import MediaServer", id="public name"),
        pytest.param("mediaserver/conference/router.py", "from mediaserver import native", id="router and native"),
        pytest.param(
            "mediaserver/recording/a.py", "from mediaserver.egress.output import Output", id="output protocol"
        ),
        pytest.param("mediaserver/rtp/a.py", "from mediaserver.rtp.codecs import CODECS", id="the ground among itself"),
        pytest.param("signaling/live/a.py", "from aiohttp import web", id="library at home"),
    ],
)
def test_what_is_allowed_is_not_complained_about(tmp_path: Path, file: str, source: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert [text for rule in RULES for text in complaints(imports_of(path, tmp_path), rule)] == []
