import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from signaling import logs
from signaling.settings import Log

TOKEN = "a91c07f4" * 8
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the log goes during the test; logging is as before after it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_where_nobody_watches(stream: io.StringIO):
    logs.configure(Log(), stream)
    structlog.get_logger("signaling.x").info("layer changed", layer="720p", estimate_bps=1_240_000)
    (line,) = lines(stream)
    assert (line["event"], line["layer"], line["estimate_bps"]) == ("layer changed", "720p", 1_240_000)
    assert (line["level"], line["logger"]) == ("info", "signaling.x")
    assert line["timestamp"].endswith("Z")


def test_lines_are_readable_on_a_terminal(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stream, "isatty", lambda: True)
    logs.configure(Log(), stream)
    structlog.get_logger().info("room created", room="RO-1")
    assert "room created" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_libraries_write_the_same_lines(stream: io.StringIO):
    logs.configure(Log(), stream)
    logging.getLogger("a.library").warning("%s is late", "somebody")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("somebody is late", "warning", "a.library")


def test_what_is_below_the_level_is_not_written(stream: io.StringIO):
    logs.configure(Log(level="warning"), stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("a.library").info("quiet")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("fields", "secret"),
    [
        pytest.param({"token": "secret-word"}, "secret-word", id="token"),
        pytest.param({"room_token": "secret-word"}, "secret-word", id="room_token"),
        pytest.param({"api_key": "secret-word"}, "secret-word", id="api_key"),
        pytest.param({"Authorization": "Bearer secret-word"}, "secret-word", id="header"),
        pytest.param({"headers": {"x-vcs-token": "a", "cookie": "secret-word"}}, "secret-word", id="nested"),
        pytest.param({"url": f"/rt?name=a&token={TOKEN}"}, TOKEN, id="query"),
        pytest.param({"url": "/app?guest=secret-word#x"}, "secret-word", id="guest"),
        pytest.param(
            {"database": "postgresql://user:secret-word@host/name"}, "secret-word", id="password in an address"
        ),
        pytest.param({"why": "rtmps://live.example/app/secret-word went away"}, "secret-word", id="a broadcast"),
        pytest.param({"text": f"got {TOKEN} there"}, TOKEN, id="hex digits anywhere"),
        pytest.param({"text": f"Bearer {JWT}"}, JWT, id="JWT anywhere"),
        pytest.param({"values": [TOKEN]}, TOKEN, id="in a list"),
        pytest.param({"error": ValueError(TOKEN)}, TOKEN, id="in an exception"),
    ],
)
def test_no_whole_credential_is_written(stream: io.StringIO, fields: dict, secret: str):
    logs.configure(Log(), stream)
    structlog.get_logger().info("something", **fields)
    assert secret not in stream.getvalue()
    assert len(lines(stream)) == 1


def test_no_whole_credential_is_written_with_a_traceback(stream: io.StringIO):
    logs.configure(Log(), stream)
    try:
        raise ValueError(f"/rt?token={TOKEN}")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("a.library").exception("failed too")
    ours, theirs = lines(stream)
    assert "Traceback" in ours["exception"]
    assert "Traceback" in theirs["exception"]
    assert TOKEN not in stream.getvalue()


def test_ids_are_left_whole(stream: io.StringIO):
    logs.configure(Log(), stream)
    structlog.get_logger().info("x", room="RO-1c0d5e7a-93b4-4f0e-8a61-5be2f7d3c902", port=7881)
    assert lines(stream)[0]["room"] == "RO-1c0d5e7a-93b4-4f0e-8a61-5be2f7d3c902"
