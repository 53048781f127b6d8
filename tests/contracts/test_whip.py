"""Publishing and playing over HTTP: each line of the contract once, over a whole server with real media.

The numbers are those of its sections. What flows is looked at in `end_to_end/test_whip.py`.
"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mediaserver import SystemClock
from signaling.appkeys import MEETINGS, VIEWERS
from tests.support.api_server import KEY, OTHER_KEY
from tests.support.client_sdp import Section, subscribe_answer
from tests.support.http_media import (
    CANDIDATE,
    CREDENTIALS,
    FRAGMENT,
    SDP,
    SENT,
    WANTED,
    Ended,
    HttpMedia,
    http_media,
    offer,
)
from tests.support.server import until

PROBLEM = "application/problem+json"
NOBODYS = "RO-1c0d5e7a-93b4-4f0e-8a61-5be2f7d3c902"
ICE = [
    {"urls": ["stun:stun.example.org:3478"]},
    {"urls": ["turn:turn.example.org?transport=udp", "turns:turn.example.org"], "username": 'u"1', "credential": "p"},
]


@pytest.fixture
async def media(tmp_path: Path) -> AsyncIterator[HttpMedia]:
    async with http_media(tmp_path, SystemClock(), ice_servers=ICE) as media:
        yield media


def problem(answer: Ended, status: int, said: str = "") -> None:
    """Asserts that this is how the error is put."""
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"].startswith(PROBLEM)
    body = json.loads(answer.text)
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert said in body["detail"]


async def camera(media: HttpMedia, seat: str = "cam") -> Ended:
    """Somebody who publishes under this id."""
    answer = await media.publish(query=f"?id={seat}")
    assert answer.status == 201, answer.text
    return answer


# 1. endpoints


@pytest.mark.parametrize(
    ("method", "family", "status"),
    [("GET", "whip", 204), ("HEAD", "whip", 204), ("GET", "whep", 204), ("HEAD", "whep", 200)],
)
async def test_an_endpoint_can_be_looked_at_by_anybody(media: HttpMedia, method: str, family: str, status: int):
    answer = await media.ask(method, f"/{family}/{media.room['id']}", None)
    assert (answer.status, answer.text) == (status, "")
    assert (await media.ask(method, f"/{family}/{NOBODYS}", None)).status == 404
    assert (await media.ask(method, f"/{family}/%00", None)).status == 404


async def test_players_recognise_a_whep_endpoint_by_its_type(media: HttpMedia):
    answer = await media.ask("HEAD", f"/whep/{media.room['id']}", None)
    assert answer.headers["Content-Type"] == SDP


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_session_can_be_looked_at_as_long_as_it_lasts(media: HttpMedia, method: str):
    location = (await camera(media)).location
    assert (await media.ask(method, location, None)).status == 204
    await media.ask("DELETE", location)
    assert (await media.ask(method, location, None)).status == 404


@pytest.mark.parametrize("family", ["whip", "whep"])
@pytest.mark.parametrize("preflight", [False, True])
async def test_options_tell_what_is_accepted(media: HttpMedia, family: str, preflight: bool):
    headers = {"Origin": "https://example.org"}
    if preflight:
        headers |= {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = await media.ask("OPTIONS", f"/{family}/{media.room['id']}", None, headers=headers)
    assert answer.status == 204
    assert answer.headers["Accept-Post"] == SDP
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    if preflight:
        assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, x-vcs-token, If-Match"
        assert {"POST", "PATCH", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))


async def test_options_of_a_session_allow_what_pages_of_other_origins_need(media: HttpMedia):
    location = (await camera(media)).location
    headers = {"Origin": "https://example.org", "Access-Control-Request-Method": "PATCH"}
    answer = await media.ask("OPTIONS", location, None, headers=headers)
    assert (answer.status, answer.headers["Accept-Patch"]) == (204, FRAGMENT)
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]


async def test_pages_of_other_origins_may_read_what_they_need(media: HttpMedia):
    answer = await camera(media)
    assert answer.headers["Access-Control-Expose-Headers"] == "Location, ETag, Link, X-Request-Id"


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", ""), ("PATCH", ""), ("DELETE", ""), ("PUT", "/s"), ("POST", "/s")]
)
async def test_another_method_is_not_allowed(media: HttpMedia, method: str, path: str):
    answer = await media.ask(method, f"/whip/{media.room['id']}{path}")
    problem(answer, 405)
    assert "OPTIONS" in answer.headers["Allow"]


async def test_session_ids_have_128_random_bits(media: HttpMedia):
    ids = {(await camera(media, f"cam{n}")).location.rsplit("/", 1)[1] for n in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", each) for each in ids)


# 2. authorization


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}])
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_without_a_token_nothing_is_done(media: HttpMedia, method: str, headers: dict[str, str]):
    path = f"/whip/{media.room['id']}" + ("" if method == "POST" else "/session")
    answer = await media.ask(method, path, None, headers={**headers, "Content-Type": SDP})
    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("family", ["whip", "whep"])
async def test_an_unknown_token_is_refused(media: HttpMedia, family: str):
    for token in ("unknown", "x" * 600):
        problem(await media.post(f"/{family}/{media.room['id']}", offer(), token), 403)


@pytest.mark.parametrize("family", ["whip", "whep"])
async def test_the_token_of_another_conference_is_refused(media: HttpMedia, family: str):
    other = await media.api.create(conferenceType="SFU")
    problem(await media.post(f"/{family}/{media.room['id']}", offer(), other["token"]), 403, "another conference")


async def test_a_token_may_come_in_the_query_and_is_then_in_the_sessions_address(media: HttpMedia):
    answer = await media.publish(query=f"?token={media.room['token']}", token=None)
    assert answer.status == 201
    assert answer.location.endswith(f"?token={media.room['token']}")
    assert (await media.ask("DELETE", answer.location, None)).status == 200


async def test_an_endpoint_token_publishes_as_its_participant(media: HttpMedia):
    ada, joined = await media.enter(id="ada")
    await ada.send("leave")
    await ada.closed()
    assert (await media.publish(token=joined["endpoint"]["token"])).status == 201
    _, seen = await media.enter()
    assert "ada" in [who["id"] for who in seen["participants"]]


async def test_the_teams_key_publishes_under_a_name_and_an_id(media: HttpMedia):
    bob, _ = await media.enter(id="bob")
    assert (await media.publish(query="?name=Studio&id=studio", token=KEY)).status == 201
    assert (await media.publish(token=KEY)).status == 201
    named, usual = [(await bob.until("participant_update"))["participant"] for _ in range(2)]
    assert (named["id"], named["name"]) == ("studio", "Studio")
    assert usual["name"] == "WHIP"


async def test_another_teams_key_finds_nothing(media: HttpMedia):
    problem(await media.publish(token=OTHER_KEY), 404)
    problem(await media.play("?user=cam", token=OTHER_KEY), 404)


@pytest.mark.parametrize("query", ["?id=" + "x" * 65, "?id=a%20b", "?name=" + "x" * 257, "?label=cinema"])
async def test_a_parameter_that_cannot_be_used_is_told(media: HttpMedia, query: str):
    problem(await media.publish(query=query), 400)


async def test_an_unknown_conference_is_not_found(media: HttpMedia):
    problem(await media.post(f"/whip/{NOBODYS}", offer(), KEY), 404)
    problem(await media.post(f"/whep/{NOBODYS}", offer(*WANTED), KEY), 404)


@pytest.mark.parametrize("family", ["whip", "whep"])
async def test_a_room_that_was_deleted_is_not_found(media: HttpMedia, family: str):
    await media.api.send("DELETE", f"/api/realtime/room?id={media.room['id']}")
    problem(await media.post(f"/{family}/{media.room['id']}", offer()), 404)


@pytest.mark.parametrize("family", ["whip", "whep"])
async def test_a_mesh_room_is_a_conflict(media: HttpMedia, family: str):
    mesh = await media.api.create()
    problem(await media.post(f"/{family}/{mesh['id']}", offer(), mesh["token"]), 409, "connected directly")


async def test_a_full_room_is_a_conflict(tmp_path: Path):
    async with http_media(tmp_path, SystemClock(), realtime={"max_participants": {"sfu": 1}}) as media:
        await camera(media)
        problem(await media.publish(query="?id=other"), 409, "seats")


async def test_who_is_online_by_another_way_is_a_conflict(media: HttpMedia):
    _, joined = await media.enter(id="ada")
    problem(await media.publish(query="?id=ada"), 409, "online already")
    problem(await media.publish(token=joined["endpoint"]["token"]), 409, "online already")


@pytest.mark.parametrize("query", ["", "?view=one_view", "?user=cam"])
async def test_with_nothing_live_a_player_is_asked_to_try_later(media: HttpMedia, query: str):
    answer = await media.play(query)
    problem(answer, 409)
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("query", ["", "?view=one_view"])
async def test_everybody_in_one_picture_is_played_and_drawn_for_as_long(media: HttpMedia, query: str):
    await camera(media)
    session = await media.play(query)
    assert session.status == 201
    assert "one_view" in labels(media)
    assert (await media.ask("DELETE", session.location)).status == 200
    assert labels(media) == {"camera"}


async def test_a_picture_that_nobody_gets_is_not_drawn(media: HttpMedia):
    await camera(media)
    problem(await media.play("", offer(*SENT)), 422)
    assert labels(media) == {"camera"}


async def test_there_is_no_common_picture_of_what_only_people_can_see(media: HttpMedia):
    room = await media.api.create(conferenceType="SFU", e2ee=True)
    await media.enter(room["token"], id="ada")
    problem(await media.post(f"/whep/{room['id']}", offer(*WANTED), room["token"]), 409, "encrypted end to end")


def labels(media: HttpMedia) -> set[str]:
    """Of what is live."""
    meeting = media.api.client.app[MEETINGS].meeting(media.room["id"])
    assert meeting is not None
    return {stream.label for stream in meeting.streams()}


async def test_while_the_server_is_shutting_down_nobody_gets_in(media: HttpMedia):
    session = await camera(media)
    await media.api.client.app[MEETINGS].aclose()
    for answer in (await media.publish(), await media.play("?user=cam")):
        problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
    problem(await media.ask("DELETE", session.location), 404)


async def test_no_more_than_so_many_watch(tmp_path: Path):
    async with http_media(tmp_path, SystemClock(), whep={"max_viewers": 1}) as media:
        await camera(media)
        assert (await media.play("?user=cam")).status == 201
        answer = await media.play("?user=cam")
        problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0


# 3. publishing


@pytest.mark.parametrize("family", ["whip", "whep"])
async def test_another_content_type_is_not_read(media: HttpMedia, family: str):
    problem(await media.post(f"/{family}/{media.room['id']}", offer(), media_type="application/json"), 415)


@pytest.mark.parametrize("family", ["whip", "whep"])
async def test_a_body_over_64_kib_is_too_large(media: HttpMedia, family: str):
    problem(await media.post(f"/{family}/{media.room['id']}", "x" * (64 * 1024 + 1)), 413)


@pytest.mark.parametrize("family", ["whip", "whep"])
@pytest.mark.parametrize("body", ["", "hello", "{}", b"v=0\r\n\xff", "v=0\r\nm=audio\r\n"])
async def test_what_is_no_description_is_told(media: HttpMedia, family: str, body: str | bytes):
    problem(await media.post(f"/{family}/{media.room['id']}", body), 400)


UNFIT = {
    "no section": offer(*SENT[:0]).replace("m=", "x="),
    "two pictures": offer(SENT[1], Section("2", "vp8")),
    "wrong direction": offer(Section("0", "opus", "inactive")),
    "no codec": offer(Section("1", "theora")),
    "not bundled": offer().replace("BUNDLE 0 1", "BUNDLE 0"),
    "DTLS server": offer().replace("setup:actpass", "setup:passive"),
}


@pytest.mark.parametrize("family", ["whip", "whep"])
@pytest.mark.parametrize("body", UNFIT.values(), ids=UNFIT.keys())
async def test_an_offer_that_cannot_be_agreed_to_as_a_whole_changes_nothing(media: HttpMedia, family: str, body: str):
    if family == "whep":
        await camera(media)
        body = body.replace("a=sendonly", "a=recvonly")
    before = await media.metric("folkmoot_participants")
    answer = await media.post(f"/{family}/{media.room['id']}?user=cam".replace("whip?user", "whip?id"), body)
    assert answer.status in (400, 422)
    assert await media.metric("folkmoot_participants") == before
    assert await media.metric("folkmoot_viewers") == 0
    assert await media.metric("folkmoot_port_connections") == before


async def test_an_offer_is_answered_with_all_that_its_client_needs(media: HttpMedia):
    answer = await media.publish()
    assert answer.status == 201
    assert answer.headers["Content-Type"] == SDP
    assert re.fullmatch(rf"/whip/{media.room['id']}/[A-Za-z0-9_-]+", answer.location)
    assert re.fullmatch(r'"[^"]+"', answer.tag)
    for section in answer.sdp.sections:
        assert (section.direction, section.transport.setup) == ("recvonly", "passive")
        assert section.rtcp_mux
        assert section.rtcp_mux_only
    assert answer.sdp.ice_lite
    assert answer.sdp.sections[0].transport.candidates


async def test_an_offer_to_send_and_receive_is_answered_with_receiving(media: HttpMedia):
    answer = await media.publish(offer(Section("0", "opus", "sendrecv"), Section("1", "vp8", "sendrecv")))
    assert [section.direction for section in answer.sdp.sections] == ["recvonly", "recvonly"]


async def test_simulcast_is_agreed_to(media: HttpMedia):
    answer = await media.publish(offer(Section("1", "vp8", rids=("f", "h", "q"))))
    assert list(answer.sdp.sections[0].rids) == ["f", "h", "q"]


async def test_ice_servers_come_as_links(media: HttpMedia):
    answer = await media.publish()
    secret = 'rel="ice-server"; username="u\\"1"; credential="p"; credential-type="password"'
    assert answer.headers.getall("Link") == [
        '<stun:stun.example.org:3478>; rel="ice-server"',
        f"<turn:turn.example.org?transport=udp>; {secret}",
        f"<turns:turn.example.org>; {secret}",
    ]


async def test_the_publisher_is_a_participant_with_a_camera(media: HttpMedia):
    bob, _ = await media.enter(id="bob")
    session = await camera(media)
    update = (await bob.until("participant_update"))["participant"]
    assert (update["id"], update["online"], update["platform"]) == ("cam", True, "whip")
    _, joined = await media.enter(id="carl")
    listed = {who["id"]: who.get("platform") for who in joined["participants"]}
    assert listed == {"bob": None, "cam": "whip", "carl": None}
    stream = joined["streams"][0]
    assert (stream["user_id"], stream["label"], stream["audio"], stream["video"]) == ("cam", "camera", True, True)
    assert (await bob.until("offer"))["streams"][0]["stream_id"] == stream["stream_id"]
    await media.ask("DELETE", session.location)
    update = (await bob.until("participant_update"))["participant"]
    assert update["id"] == "carl" or not update["online"]


async def test_what_is_published_may_be_a_screen(media: HttpMedia):
    await media.publish(query="?label=screen")
    _, joined = await media.enter()
    assert joined["streams"][0]["label"] == "screen"


async def test_an_encoder_that_comes_again_under_its_id_takes_its_own_place(media: HttpMedia):
    bob, _ = await media.enter(id="bob")
    first, second = await camera(media), await camera(media)
    updates = [(await bob.until("participant_update"))["participant"]["online"] for _ in range(3)]
    assert updates == [True, False, True]
    problem(await media.ask("DELETE", first.location), 404)
    assert (await media.ask("DELETE", second.location)).status == 200


async def test_an_offer_that_is_refused_does_not_cost_an_encoder_its_place(media: HttpMedia):
    first = await camera(media)
    problem(await media.publish(UNFIT["no codec"], "?id=cam"), 422)
    assert (await media.ask("GET", first.location, None)).status == 204


async def test_who_comes_back_in_a_browser_takes_the_place_of_the_encoder(media: HttpMedia):
    ada, joined = await media.enter(id="ada")
    await ada.send("leave")
    await ada.closed()
    token = joined["endpoint"]["token"]
    session = await media.publish(token=token)
    _, joined = await media.enter(token=token)
    assert joined["participant"]["id"] == "ada"
    assert (await media.ask("GET", session.location, None)).status == 404


# 4. PATCH


async def test_candidates_are_taken_without_a_word(media: HttpMedia):
    session = await camera(media)
    odd = CANDIDATE.replace("udp", "sctp") + CANDIDATE.replace("192.0.2.1", "unknown.local") + "a=end-of-candidates\r\n"
    answer = await media.patch(session.location, session.tag, CANDIDATE + odd)
    assert (answer.status, answer.text) == (204, "")
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("tag", "status"), [(None, 428), ('"other"', 412), ("", 412), ('W/"{tag}"', 412), ('"a", "{tag}"', 204)]
)
async def test_candidates_have_to_be_for_the_present_session(media: HttpMedia, tag: str | None, status: int):
    session = await camera(media)
    sent = None if tag is None else tag.replace("{tag}", session.tag.strip('"'))
    answer = await media.patch(session.location, sent, CANDIDATE)
    assert answer.status == status
    if status >= 400:
        problem(answer, status)


@pytest.mark.parametrize("body", ["", "hello", "a=ice-ufrag:abcd\r\n", "a=ice-ufrag:a\r\na=ice-pwd:b\r\n"])
async def test_a_malformed_fragment_is_told(media: HttpMedia, body: str):
    session = await camera(media)
    problem(await media.patch(session.location, session.tag, body), 400)


async def test_a_patch_of_another_type_is_not_read(media: HttpMedia):
    session = await camera(media)
    problem(await media.patch(session.location, session.tag, CANDIDATE, SDP), 415)


@pytest.mark.parametrize("family", ["whip", "whep"])
@pytest.mark.parametrize("any_tag", ["*", '"*"'])
async def test_ice_is_restarted(media: HttpMedia, family: str, any_tag: str):
    session = await camera(media)
    if family == "whep":
        session = await media.play("?user=cam")
    answer = await media.patch(session.location, any_tag, CREDENTIALS.format("fresh") + CANDIDATE)
    assert (answer.status, answer.headers["Content-Type"]) == (200, FRAGMENT)
    lines = answer.text.split("\r\n")
    assert lines[0] == "a=ice-lite"
    assert any(line.startswith("a=ice-options:") for line in lines)
    assert any(line.startswith("a=candidate:") for line in lines)
    before = session.sdp.sections[0].transport
    assert f"a=ice-ufrag:{before.ufrag}" not in lines
    assert f"a=ice-pwd:{before.pwd}" not in lines
    assert answer.tag != session.tag
    assert (await media.patch(session.location, session.tag, CANDIDATE)).status == 412
    assert (await media.patch(session.location, answer.tag, CANDIDATE)).status == 204


async def test_the_last_of_several_restarts_wins_and_may_be_repeated(media: HttpMedia):
    session = await camera(media)
    await media.patch(session.location, "*", CREDENTIALS.format("first"))
    second = await media.patch(session.location, "*", CREDENTIALS.format("second"))
    again = await media.patch(session.location, "*", CREDENTIALS.format("second"))
    assert (again.status, again.text, again.tag) == (200, second.text, second.tag)


async def test_candidates_for_any_session_are_no_restart(media: HttpMedia):
    session = await camera(media)
    mine = "a=ice-ufrag:remoteA\r\na=ice-pwd:remote-password-of-22-chars\r\n"
    assert (await media.patch(session.location, "*", mine + CANDIDATE)).status == 204
    assert (await media.patch(session.location, session.tag, CANDIDATE)).status == 204


async def test_a_restart_that_cannot_be_done_leaves_the_session_as_it_was(media: HttpMedia):
    session = await camera(media)
    problem(await media.patch(session.location, "*", "a=ice-ufrag:fresh\r\n"), 400)
    assert (await media.patch(session.location, session.tag, CANDIDATE)).status == 204


async def test_a_session_nobody_knows_cannot_be_patched(media: HttpMedia):
    problem(await media.patch(f"/whip/{media.room['id']}/unknown", "*", CANDIDATE), 404)
    session = await camera(media)
    elsewhere = session.location.replace(media.room["id"], NOBODYS)
    problem(await media.patch(elsewhere, "*", CANDIDATE), 404)
    problem(await media.patch(session.location.replace("/whip/", "/whep/"), "*", CANDIDATE), 404)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_another_token_has_no_say_about_a_session(media: HttpMedia, method: str):
    session = await camera(media)
    headers = {"Content-Type": FRAGMENT, "If-Match": session.tag}
    problem(await media.ask(method, session.location, KEY, headers=headers, data=CANDIDATE), 403)


# 5. DELETE


async def test_a_session_is_ended_once_whatever_its_tag(media: HttpMedia):
    bob, _ = await media.enter(id="bob")
    session = await camera(media)
    answer = await media.ask("DELETE", session.location, headers={"If-Match": '"other"'})
    assert (answer.status, answer.text) == (200, "")
    await bob.until("participant_update")
    assert (await bob.until("participant_update"))["participant"]["online"] is False
    assert await media.metric("folkmoot_port_connections") == 0
    problem(await media.ask("DELETE", session.location), 404)


@pytest.mark.parametrize("end", ["kicked", "deleted"])
async def test_what_the_server_ends_is_gone(media: HttpMedia, end: str):
    await media.enter(id="bob")
    session, viewer = await camera(media), await media.play("?user=cam")
    if end == "deleted":
        await media.api.send("DELETE", f"/api/realtime/room?id={media.room['id']}")
    else:
        conferences = media.api.client.app[MEETINGS]
        meeting = conferences.meeting(media.room["id"])
        conferences.dismiss(meeting, meeting.members["cam"], "kicked")
    problem(await media.ask("DELETE", session.location), 404)
    problem(await media.patch(session.location, session.tag, CANDIDATE), 404)
    assert (await media.ask("GET", viewer.location, None)).status == (404 if end == "deleted" else 204)


# 6. playing


async def test_a_player_is_answered_with_one_stream(media: HttpMedia):
    await camera(media)
    answer = await media.play("?user=cam")
    assert answer.status == 201
    assert re.fullmatch(rf"/whep/{media.room['id']}/[A-Za-z0-9_-]+", answer.location)
    assert re.fullmatch(r'"[^"]+"', answer.tag)
    assert len(answer.headers.getall("Link")) == 3
    assert [section.direction for section in answer.sdp.sections] == ["sendonly", "sendonly"]
    assert len({section.msids[0].split()[0] for section in answer.sdp.sections}) == 1


@pytest.mark.parametrize("wanted", [WANTED[:1], WANTED[1:]], ids=["sound", "picture"])
async def test_a_player_may_want_one_of_both(media: HttpMedia, wanted: tuple[Section, ...]):
    await camera(media)
    answer = await media.play("?user=cam", offer(*wanted))
    assert [section.kind for section in answer.sdp.sections] == [wanted[0].kind]


async def test_a_stream_is_played_by_its_id(media: HttpMedia):
    await media.publish(query="?label=screen")
    _, joined = await media.enter()
    stream_id = joined["streams"][0]["stream_id"]
    answer = await media.play(f"?stream={stream_id}")
    assert answer.sdp.sections[0].msids[0].split()[0] == stream_id


@pytest.mark.parametrize("query", ["?stream=nobodys", "?user=nobody"])
async def test_an_unknown_stream_or_participant_is_not_found(media: HttpMedia, query: str):
    await camera(media)
    problem(await media.play(query), 404)


async def test_a_participant_without_a_camera_is_nothing_live(media: HttpMedia):
    await media.enter(id="bob")
    answer = await media.play("?user=bob")
    problem(answer, 409)
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
async def test_a_player_has_to_receive(media: HttpMedia, direction: str):
    await camera(media)
    problem(await media.play("?user=cam", offer(Section("1", "vp8", direction))), 422)


async def test_a_stream_in_a_codec_the_player_does_not_have_is_told(media: HttpMedia):
    await camera(media)
    problem(await media.play("?user=cam", offer(Section("1", "h264", "recvonly"))), 422, "VP8")


async def test_a_viewer_is_counted_and_nothing_else(media: HttpMedia):
    await camera(media)
    bob, _ = await media.enter(id="bob")
    session = await media.play("?user=cam")
    assert await media.metric("folkmoot_viewers") == 1
    assert await media.metric("folkmoot_participants") == 2
    await media.ask("DELETE", session.location)
    assert await media.metric("folkmoot_viewers") == 0
    await bob.send("ping")
    await bob.until("pong")
    assert not [each for each in bob.heard if each["type"] == "participant_update"]


async def test_viewers_do_not_keep_a_meeting_alive(tmp_path: Path):
    async with http_media(tmp_path, SystemClock(), departure_timeout_seconds=0.0) as media:
        publisher, viewer = await camera(media), await media.play("?user=cam")
        await media.ask("DELETE", publisher.location)
        await until(lambda: media.api.client.app[MEETINGS].meeting(media.room["id"]) is None, 5.0, "the end")
        problem(await media.patch(viewer.location, viewer.tag, CANDIDATE), 404)


async def test_a_viewer_waits_for_the_next_stream_of_the_same_participant_for_a_while(tmp_path: Path):
    async with http_media(tmp_path, SystemClock(), whep={"resume_seconds": 0.05}) as media:
        await media.enter(id="bob")
        publisher = await camera(media)
        viewer = await media.play("?user=cam")
        await media.ask("DELETE", publisher.location)
        again = await camera(media)
        assert (await media.ask("GET", viewer.location, None)).status == 204
        await media.ask("DELETE", again.location)
        await until(lambda: not media.api.client.app[VIEWERS].sessions, 5.0, "the end of the viewer")


# 7. compatibility


async def test_who_cannot_decode_the_stream_is_told_which(media: HttpMedia):
    bob, _ = await media.enter(id="bob")
    await media.publish(offer(Section("0", "opus"), Section("1", "h264")))
    described = await bob.until("offer")
    answer = subscribe_answer(described["sdp"], without=("h264",))
    await bob.send("answer", pc="subscribe", seq=described["seq"], sdp=answer)
    told = await bob.until("error")
    assert (told["code"], told["name"]) == (415, "codec_unsupported")
    assert told["stream_id"] == described["streams"][0]["stream_id"]
