"""What the server tells those who operate it, and what holds for every path: ids, errors, CORS, hardening, pages."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, WSMsgType
from prometheus_client.parser import text_string_to_metric_families

from mediaserver import ServerStats
from mediaserver.stats import ConferenceStats, ParticipantStats
from signaling.api.operations import line_estimates
from signaling.appkeys import HEALTH
from signaling.version import VERSION
from tests.support.api_server import KEY, ROOMS, Api, api_server, settings_for
from tests.support.clock import MovableClock

HTTP_MEDIA = ("whip", "whep")
SESSION_METHODS = ("get", "options", "patch", "delete")
FAMILIES = ["realtime", "sessions", "rooms", "spaces", *HTTP_MEDIA]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    async with api_server(settings_for(tmp_path), clock) as api:
        yield api


async def samples(api: Api) -> dict[tuple[str, frozenset], float]:
    response = await api.send("GET", "/metrics", key=None)
    assert response.status == 200
    assert response.content_type == "text/plain"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(await response.text())
        for sample in family.samples
    }


# health


async def test_a_running_server_is_healthy(api: Api, clock: MovableClock):
    clock.advance(12.5)
    assert await api.ask("GET", "/healthz", key=None) == (200, {"status": "ok", "version": VERSION, "uptime": 12.5})


async def test_a_server_that_accepts_conferences_is_ready(api: Api):
    assert await api.ask("GET", "/readyz", key=None) == (200, {"status": "ok"})


async def test_a_draining_server_is_healthy_but_not_ready(api: Api):
    api.client.app[HEALTH].draining = True
    assert await api.ask("GET", "/readyz", key=None) == (503, {"status": "draining"})
    assert (await api.ask("GET", "/healthz", key=None))[0] == 200


async def test_without_its_data_directory_a_server_is_not_ready(api: Api, tmp_path: Path):
    os.rename(tmp_path, tmp_path.with_name("elsewhere"))
    assert await api.ask("GET", "/readyz", key=None) == (503, {"status": "data directory not writable"})
    assert (await api.ask("GET", "/healthz", key=None))[0] == 200


# metrics


async def test_metrics_tell_of_conferences_media_and_requests(api: Api):
    await api.create()
    await api.create()
    await api.send("GET", f"{ROOMS}/nothing")
    await api.send("GET", "/nothing/at/all")
    told = await samples(api)

    def value(name: str, **labels: str) -> float:
        return told[name, frozenset(labels.items())]

    for what in ("conferences", "participants", "streams"):
        assert value(f"folkmoot_{what}", mode="SFU") == 0
        assert value(f"folkmoot_{what}", mode="MESH") == 0
    assert value("folkmoot_media_bytes_received_total") == 1200
    assert value("folkmoot_media_bytes_sent_total") == 3600
    assert value("folkmoot_media_dropped_total", reason="empty") == 2
    assert value("folkmoot_media_dropped_total", reason="replayed") == 1
    assert value("folkmoot_media_packets_lost") == 0
    requests = "folkmoot_http_requests_total"
    assert value(requests, method="POST", route=ROOMS, status="200") == 2
    assert value(requests, method="GET", route=f"{ROOMS}/{{id}}", status="400") == 1
    assert value(requests, method="GET", route="unmatched", status="404") == 1


def test_metrics_tell_what_lines_are_thought_to_carry():
    people = [ParticipantStats(str(bps), line={"estimate_bps": bps}) for bps in (90_000.0, 250_000.0, 2e6, 10e9)]
    stats = ServerStats({}, {}, (ConferenceStats("c", 0, (*people, ParticipantStats("nobody yet"))),))
    told = {sample.labels.get("le"): sample.value for sample in line_estimates(stats).samples}
    assert (told["100000"], told["200000"], told["400000"], told["3000000"], told["+Inf"]) == (1, 1, 2, 3, 3)


async def test_invented_methods_and_paths_do_not_grow_the_metrics(api: Api):
    for method in ("PROPFIND", "LOCK", "MKCOL", "REPORT"):
        assert (await api.send(method, f"/nothing/{method}")).status == 404
    told = await samples(api)
    counted = {name: value for name, value in told.items() if name[0] == "folkmoot_http_requests_total"}
    assert list(counted.values()) == [4]


# the description


async def test_the_description_names_every_endpoint(api: Api):
    status, document = await api.ask("GET", "/openapi.json", key=None)
    assert status == 200
    assert document["openapi"].startswith("3.1")
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert ("/rooms", "post") in described
    assert {
        each for each in described if each[0].startswith(("/api/", "/session", "/webhooks/session", "/whip/", "/whep/"))
    } == {
        (ROOMS, "get"),
        (ROOMS, "post"),
        (ROOMS, "delete"),
        ("/session", "post"),
        ("/session/{meetingLinkId}", "patch"),
        ("/session/{meetingLinkId}/token", "post"),
        ("/session/{meetingLinkId}/end", "patch"),
        ("/session/{meetingLinkId}/archive", "post"),
        ("/session/{meetingLinkId}/archive", "delete"),
        ("/session/{meetingLinkId}/attendees", "get"),
        ("/webhooks/session", "post"),
        (f"{ROOMS}/{{id}}", "get"),
        (f"{ROOMS}/{{id}}/upgrade", "post"),
        *((f"/{family}/{{conference}}", method) for family in HTTP_MEDIA for method in ("get", "options", "post")),
        *((f"/{family}/{{conference}}/{{session}}", method) for family in HTTP_MEDIA for method in SESSION_METHODS),
    }
    assert document["components"]["securitySchemes"]["realtimeKey"]["name"] == "x-vcs-token"


# every answer


async def test_every_answer_has_an_id(api: Api):
    ids = {(await api.send("GET", path)).headers["X-Request-Id"] for path in ("/healthz", "/nothing", ROOMS, "/")}
    assert len(ids) == 4
    assert all(re.fullmatch(r"[0-9a-f-]{36}", each) for each in ids)


@pytest.mark.parametrize(("sent", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("a;b", False)])
async def test_a_proxys_request_id_is_kept_if_it_is_harmless(api: Api, sent: str, kept: bool):
    response = await api.send("GET", "/healthz", headers={"X-Request-Id": sent})
    assert (response.headers["X-Request-Id"] == sent) is kept


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/nothing", 404, {"error": "Not Found"}),
        ("GET", "/api/other", 404, {"error": "Not Found"}),
        ("GET", "/api/realtimes", 404, {"error": "Not Found"}),
        ("GET", "/static/nothing.js", 404, {"error": "Not Found"}),
        ("GET", "/static/../pyproject.toml", 404, {"error": "Not Found"}),
        ("GET", "/static/%2e%2e/pyproject.toml", 404, {"error": "Not Found"}),
        ("GET", "/static/..%2fpyproject.toml", 404, {"error": "Not Found"}),
        ("GET", "/static/%00", 404, {"error": "Not Found"}),
        ("GET", "/static/" + "x" * 300, 404, {"error": "Not Found"}),
        ("GET", "/static/", 404, {"error": "Not Found"}),
        ("GET", "/static/ui", 404, {"error": "Not Found"}),
        ("POST", "/healthz", 405, {"error": "Method Not Allowed"}),
        ("GET", "/rt", 400, {"error": "Bad Request"}),
    ],
)
async def test_errors_outside_the_families_are_plain(api: Api, method: str, path: str, status: int, body: Any):
    assert await api.ask(method, path, key=None) == (status, body)


async def test_a_wrong_method_is_told_the_right_ones(api: Api):
    assert (await api.send("DELETE", "/healthz")).headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_does_not_unpack_is_a_callers_mistake(api: Api, encoding: str):
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    response = await api.client.request(
        "POST", ROOMS, data=b"not packed", headers={**headers, "x-vcs-token": KEY}, skip_auto_headers=[]
    )
    assert response.status == 400


async def test_an_upload_is_no_way_around_the_content_type(api: Api):
    form = FormData()
    form.add_field("name", "x", filename="a.json", content_type="application/json")
    assert (await api.send("POST", ROOMS, data=form)).status == 415


# CORS


@pytest.mark.parametrize("path", [ROOMS, "/api/realtime/nothing", "/healthz", "/static/client.js", "/openapi.json"])
async def test_by_default_every_origin_may_read(api: Api, path: str):
    response = await api.send("GET", path, headers={"Origin": "https://app.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Expose-Headers"] == "Location, ETag, Link, X-Request-Id"


async def test_a_preflight_is_answered_without_a_key(api: Api):
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "DELETE"}
    response = await api.send("OPTIONS", ROOMS, key=None, headers=headers)
    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert set(response.headers["Access-Control-Allow-Methods"].split(", ")) >= {
        "GET",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
    }
    allowed = response.headers["Access-Control-Allow-Headers"]
    assert allowed == "Authorization, Content-Type, x-vcs-token, If-Match"


@pytest.mark.parametrize(
    ("origin", "told"),
    [("https://app.example", "https://app.example"), ("https://other.example", None), ("null", None), (None, None)],
)
async def test_only_the_configured_origins_may_read(
    tmp_path: Path, clock: MovableClock, origin: str | None, told: str | None
):
    settings = settings_for(tmp_path, cors={"allowed_origins": ["https://app.example"]})
    async with api_server(settings, clock) as api:
        response = await api.send("GET", ROOMS, headers={} if origin is None else {"Origin": origin})
        assert response.headers.get("Access-Control-Allow-Origin") == told
        assert "Origin" in response.headers["Vary"]


# pages


@pytest.mark.parametrize("path", ["/", "/app", "/lab", "/docs", "/recordings", "/team"])
async def test_a_page_loads_nothing_from_elsewhere(api: Api, path: str):
    response = await api.send("GET", path, key=None)
    assert response.status == 200
    assert response.content_type == "text/html"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    page = await response.text()
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son\w+=", page)


@pytest.mark.parametrize(
    ("path", "ancestors"), [("/app", "https://site.example"), ("/", "'self'"), ("/docs", "'self'")]
)
async def test_only_the_conference_page_may_stand_in_frames(
    tmp_path: Path, clock: MovableClock, path: str, ancestors: str
):
    settings = settings_for(tmp_path, embed={"frame_ancestors": ["https://site.example"]})
    async with api_server(settings, clock) as api:
        policy = (await api.send("GET", path, key=None)).headers["Content-Security-Policy"]
        assert policy.endswith(f"frame-ancestors {ancestors}")


async def test_pictures_from_elsewhere_are_shown_in_conferences_only(api: Api):
    for path, elsewhere in (("/app", True), ("/", False), ("/team", False)):
        policy = (await api.send("GET", path, key=None)).headers["Content-Security-Policy"]
        (images,) = [each for each in policy.split("; ") if each.startswith("img-src ")]
        assert ("https:" in images.split()) == elsewhere, path


async def test_files_of_the_pages_are_asked_for_again(api: Api):
    first = await api.send("GET", "/static/docs.js", key=None)
    assert first.headers["Cache-Control"] == "no-cache"
    again = await api.send("GET", "/static/docs.js", key=None, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304


async def test_a_server_in_use_tells_no_keys(api: Api):
    expected = {"version": VERSION, "families": FAMILIES, "dev": False, "frame_ancestors": ["*"]}
    assert await api.ask("GET", "/about.json", key=None) == (200, expected)


async def test_a_development_server_tells_pages_on_this_machine_its_key(tmp_path: Path, clock: MovableClock):
    async with api_server(settings_for(tmp_path), clock, dev_keys={"realtime": "made just now"}) as api:
        response = await api.send("GET", "/about.json", key=None, headers={"Sec-Fetch-Site": "same-origin"})
        told = await response.json()
        assert told == {
            "version": VERSION,
            "families": FAMILIES,
            "dev": True,
            "frame_ancestors": ["*"],
            "realtime_key": "made just now",
        }
        assert response.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in response.headers
        for key in (told["realtime_key"], KEY):
            assert (await api.send("GET", ROOMS, key=key)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "evil.example"}, id="a foreign name that leads here"),
        pytest.param({"X-Forwarded-For": "203.0.113.5"}, id="through a proxy"),
        pytest.param({"Forwarded": "for=203.0.113.5"}, id="through a modern proxy"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="from a page of another site"),
    ],
)
async def test_a_development_server_tells_nobody_else(tmp_path: Path, clock: MovableClock, headers: dict[str, str]):
    async with api_server(settings_for(tmp_path), clock, dev_keys={"realtime": "made just now"}) as api:
        status, told = await api.ask("GET", "/about.json", key=None, headers=headers)
        assert (status, told["dev"]) == (200, True)
        assert "realtime_key" not in told


# the end


async def test_sockets_are_told_when_the_server_stops(tmp_path: Path, clock: MovableClock):
    async with api_server(settings_for(tmp_path), clock) as api:
        room = await api.create()
        async with api.client.ws_connect(f"/rt?token={room['token']}") as socket:
            assert (await socket.receive_json())["type"] == "room_setup"
            await api.client.app.shutdown()
            assert (await socket.receive_json())["reason"] == "server_shutdown"
            assert (await socket.receive()).type is WSMsgType.CLOSE
