"""Log lines: for people on a terminal, JSON elsewhere; one thing that happened each, its ids and numbers as fields.

Whatever a caller of the log hands over, no whole credential leaves here: fields with such a name, and strings that
look like one, are shortened. Lines of libraries take the same way.
"""

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from signaling.settings import Log
from signaling.tokens import shortened

_CREDENTIAL_NAME = re.compile(r"(^|_)(token|key|secret|credential|password|authorization|cookie)s?$", re.IGNORECASE)
_CREDENTIAL_TEXT = re.compile(
    r"""(?P<kept>[?&](?:token|access_key|api_key|guest|key)=)[^&\s"'<>]+  # in an address
      | (?P<stream>\brtmps?://[^/\s]+/)[^\s"'<>]+                           # where a broadcast goes
      | (?P<user>://[^/\s:@]+:)[^@\s/]+(?=@)                              # a password in an address
      | \b[0-9a-fA-F]{32,}\b                                              # ours
      | \beyJ[\w-]+\.[\w-]+\.[\w-]*                                       # a JWT
    """,
    re.VERBOSE,
)
_QUIET = ("alembic", "aiohttp.access", "aioice", "asyncio", "PIL")


def configure(log: Log, stream: TextIO | None = None) -> None:
    """Sends every log line of the process to `stream` (standard error), in the format asked for."""
    stream = stream or sys.stderr
    readable = log.format == "terminal" or (log.format == "auto" and stream.isatty())
    level = logging.getLevelNamesMapping()[log.level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if readable else "iso", utc=not readable),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        shorten_credentials,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _take_over_standard_logging(shared, _renderer(readable, stream), level, stream)


def shorten_credentials(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Leaves of every credential in the line just enough to recognise it."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = shortened(value) if _CREDENTIAL_NAME.search(name) else without_credentials(value)
        elif isinstance(value, dict):
            event[name] = shorten_credentials(None, "", dict(value))
        elif isinstance(value, list | tuple | set | frozenset | BaseException):
            event[name] = without_credentials(repr(value))
    return event


def without_credentials(text: str) -> str:
    """The text with everything in it that looks like a credential shortened."""
    return _CREDENTIAL_TEXT.sub(_shorter, text)


def _shorter(match: re.Match[str]) -> str:
    kept = match["kept"] or match["stream"] or match["user"] or ""
    return kept + shortened(match[0][len(kept) :])


def _renderer(readable: bool, stream: TextIO) -> Processor:
    if readable:
        return structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer()


def _take_over_standard_logging(shared: list[Processor], last: Processor, level: int, stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
