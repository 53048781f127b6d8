"""The sessions API as back ends that schedule meetings rely on it: each line of its contract once, messages exact."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from signaling.appkeys import ATTENDEES
from signaling.services.session_callers import PERMISSIONS
from tests.support.api_server import KEY, Api, api_server, settings_for, web_token
from tests.support.clock import MovableClock
from tests.support.sessions import (
    DAY,
    HOUR,
    NOW,
    ListeningMedia,
    Visit,
    ask,
    at,
    error,
    new_session,
    new_token,
)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=NOW)


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    async with api_server(settings_for(tmp_path), clock, media=ListeningMedia) as api:
        yield api


async def attendees(api: Api, link: str, **query: str) -> list[dict[str, Any]]:
    status, answer = await ask(api, "GET", f"/session/{link}/attendees", params=query)
    assert status == 200
    return answer


# who may


NEEDED = {
    ("POST", "/session"): "CreateMeetingSession",
    ("POST", "/session/Ab3_xYz-09/token"): "GenerateMeetingToken",
    ("PATCH", "/session/Ab3_xYz-09"): "EditMeeting",
    ("PATCH", "/session/Ab3_xYz-09/end"): "StopMeeting",
    ("GET", "/session/Ab3_xYz-09/attendees"): "GetMeetingAttendees",
    ("GET", "/archives"): "GetMeetingArchives",
    ("GET", "/archives/6b1f0b77c47e83aa5d10f31c"): "GetMeetingArchives",
    ("DELETE", "/archives/6b1f0b77c47e83aa5d10f31c"): "DeleteMeetingArchive",
    ("PUT", "/archives/storage-target"): "SetMeetingUploadTarget",
    ("POST", "/session/Ab3_xYz-09/archive"): "StartMeetingArchive",
    ("DELETE", "/session/Ab3_xYz-09/archive"): "StopMeetingArchive",
}


@pytest.mark.parametrize("endpoint", NEEDED)
@pytest.mark.parametrize("permission", PERMISSIONS)
async def test_each_endpoint_needs_its_own_permission(api: Api, endpoint: tuple[str, str], permission: str):
    answer = await ask(api, *endpoint, bearer=web_token(permission), json={})
    if permission == NEEDED[endpoint]:
        assert answer[0] in (200, 204, 400, 404)
    else:
        assert answer == error(403, "NotAllowedAccess")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        pytest.param({}, "TokenInvalid", id="none"),
        pytest.param({"Authorization": "Basic YTpi"}, "TokenInvalid", id="another scheme"),
        pytest.param({"Authorization": "Bearer nonsense"}, "TokenInvalid", id="no token at all"),
        pytest.param({"Authorization": f"Bearer {web_token(secret='x' * 32)}"}, "TokenExpired", id="signature"),
        pytest.param({"Authorization": f"Bearer {web_token(iss='somebody')}"}, "TokenExpired", id="issuer"),
        pytest.param({"Authorization": f"Bearer {web_token(exp=NOW - 1)}"}, "TokenExpired", id="expired"),
        pytest.param({"Authorization": f"Bearer {web_token(permissions=None)}"}, "TokenInvalid", id="no permissions"),
        pytest.param(
            {"Authorization": f"Bearer {web_token(passwordExpiryTime='2026-03-02T08:00:00Z')}"},
            "PasswordExpiryError",
            id="an old password",
        ),
    ],
)
async def test_a_web_token_that_is_not_good_is_told_why(api: Api, header: dict[str, str], message: str):
    response = await api.send("POST", "/session", key=None, headers=header, json={})
    assert (response.status, await response.json()) == error(401, message)


async def test_a_token_signed_with_nothing_is_not_good(api: Api):
    claims = web_token().split(".")[1]
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"  # {"alg":"none","typ":"JWT"}
    assert await ask(api, "POST", "/session", bearer=f"{none}.{claims}.", json={}) == error(401, "TokenExpired")


async def test_keys_of_other_families_open_nothing(api: Api):
    assert await ask(api, "POST", "/session", bearer=KEY, json={}) == error(401, "TokenInvalid")


async def test_a_tenant_sees_its_own_sessions_only(api: Api):
    link = await new_session(api)
    of_a = (await ask(api, "POST", "/session", bearer=web_token(tenantId="a"), json={}))[1]["code"]
    path = f"/session/{of_a}/attendees"
    assert (await ask(api, "GET", path, bearer=web_token(tenantId="a")))[0] == 200
    assert (await ask(api, "GET", path))[0] == 200
    assert await ask(api, "GET", path, bearer=web_token(tenantId="b")) == error(404, "Meeting Not Found")
    assert (await ask(api, "GET", f"/session/{link}/attendees", bearer=web_token(tenantId="b")))[0] == 404


# making one


async def test_a_session_is_known_by_ten_url_safe_characters(api: Api):
    link = await new_session(api)
    assert len(link) == 10
    assert all(each.isascii() and (each.isalnum() or each in "-_") for each in link)


@pytest.mark.parametrize(
    ("accept", "plain"),
    [("text/plain", True), ("text/plain, application/json", False), ("application/json", False), ("*/*", False)],
)
async def test_who_accepts_nothing_but_text_gets_the_link_as_text(api: Api, accept: str, plain: bool):
    headers = {"Authorization": f"Bearer {web_token()}", "Accept": accept}
    response = await api.send("POST", "/session", key=None, headers=headers, json={})
    body = json.loads(await response.text())
    assert response.content_type == ("text/plain" if plain else "application/json")
    assert isinstance(body, str) if plain else list(body) == ["code"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"isScheduled": True}, "Schedule time is not set."),
        ({"isScheduled": True, "scheduleTime": None}, "Schedule time is not set."),
        ({"isScheduled": True, "scheduleTime": "tomorrow"}, "Scheduled time is not in correct format."),
        ({"isScheduled": True, "scheduleTime": 1e300}, "Scheduled time is not in correct format."),
        (
            {"isScheduled": True, "scheduleTime": "2026-03-02T08:00:00Z"},
            "Meeting can't be scheduled with schedule time in past!",
        ),
        (
            {"enableArchiving": True, "endToEndEncryption": True},
            "End to end Encryption along with archiving is not possible",
        ),
        (
            {"isScheduled": True, "enableArchiving": True, "endToEndEncryption": True},
            "Schedule time is not set.",
        ),
    ],
)
async def test_a_session_that_cannot_be_is_refused_in_these_words(api: Api, body: dict, message: str):
    assert await ask(api, "POST", "/session", json=body) == error(400, message)


@pytest.mark.parametrize("body", [{"isScheduled": "yes"}, {"scheduleTime": True}, {"extMetadata": []}, {"extId": 5}])
async def test_a_field_of_a_wrong_type_is_named(api: Api, body: dict):
    status, answer = await ask(api, "POST", "/session", json=body)
    told = answer["error"]
    assert (status, told["name"], told["code"]) == (422, "UnprocessableEntityError", "VALIDATION_FAILED")
    assert [detail["path"] for detail in told["details"]] == [f"/{next(iter(body))}"]


@pytest.mark.parametrize("text", ["[]", "nonsense", "5"])
async def test_a_body_that_is_no_object_is_refused(api: Api, text: str):
    status, answer = await ask(api, "POST", "/session", data=text, headers={"Content-Type": "application/json"})
    assert (status, answer["error"]["name"]) == (400, "BadRequestError")


async def test_unknown_fields_of_a_new_session_are_ignored(api: Api):
    assert (await ask(api, "POST", "/session", json={"colour": "blue"}))[0] == 200


# tokens


async def test_a_token_names_the_session_and_is_another_each_time(api: Api):
    link = await new_session(api)
    first, second = await new_token(api, link), await new_token(api, link)
    assert set(first) == {"sessionId", "token"}
    assert len(first["sessionId"]) >= 40
    assert first["sessionId"] == second["sessionId"]
    assert first["token"] != second["token"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"expireTime": "never"}, "Expire time is not in correct format."),
        ({"expireTime": "2026-03-02T08:00:00Z"}, "Expire time cannot be in the past."),
        ({"expireTime": (NOW + 31 * DAY) * 1000}, "Expire time is too far in the future."),
        ({"role": "king"}, "Role is not valid."),
        ({"data": "x" * 1001}, "Data is too long."),
    ],
)
async def test_a_token_that_cannot_be_is_refused_in_these_words(api: Api, body: dict, message: str):
    link = await new_session(api)
    assert await ask(api, "POST", f"/session/{link}/token", json=body) == error(400, message)


async def test_a_token_is_for_a_session_that_runs(api: Api):
    blank = await ask(api, "POST", "/session/%20/token", json={})
    assert blank == error(400, "Meeting link should be a valid string")
    unknown = await ask(api, "POST", "/session/Ab3_xYz-09/token", json={"expireTime": "never"})
    assert unknown == error(400, "Expire time is not in correct format.")
    assert await ask(api, "POST", "/session/Ab3_xYz-09/token", json={}) == error(400, "Session does not exist")
    link = await new_session(api)
    await ask(api, "PATCH", f"/session/{link}/end")
    assert await ask(api, "POST", f"/session/{link}/token", json={}) == error(400, "This meeting has been expired")


async def test_a_scheduled_session_opens_so_many_minutes_before(tmp_path: Path, clock: MovableClock):
    settings = settings_for(tmp_path, sessions={"time_to_start_minutes": 15})
    async with api_server(settings, clock, media=ListeningMedia) as api:
        link = await new_session(api, isScheduled=True, scheduleTime=at(HOUR))
        too_early = error(400, "Meeting can only be started 15 minutes before the scheduled time")
        assert await ask(api, "POST", f"/session/{link}/token", json={}) == too_early
        clock.now += HOUR - 15 * 60 - 1
        assert await ask(api, "POST", f"/session/{link}/token", json={}) == too_early
        clock.now += 1
        await new_token(api, link)


# coming in


@pytest.mark.parametrize(("given", "role"), [(None, "publisher"), ("SUBSCRIBER", "subscriber"), ("Moderator",) * 2])
async def test_a_token_opens_the_session_in_its_role(api: Api, given: str | None, role: str):
    issued = await new_token(api, await new_session(api), **({} if given is None else {"role": given}))
    async with Visit(api, issued["token"]) as visit:
        joined = await visit.join()
    assert (joined["mode"], joined["participant"]["role"]) == ("SFU", role.lower())


async def test_with_encryption_from_end_to_end_people_are_connected_directly(api: Api):
    issued = await new_token(api, await new_session(api, endToEndEncryption=True))
    async with Visit(api, issued["token"]) as visit:
        joined = await visit.join()
    assert (joined["mode"], joined["e2ee"]) == ("MESH", True)


async def test_one_token_lets_many_in_each_as_themselves(api: Api):
    issued = await new_token(api, await new_session(api))
    async with Visit(api, issued["token"]) as one, Visit(api, issued["token"]) as other:
        ids = {(await one.join())["participant"]["id"], (await other.join())["participant"]["id"]}
    assert len(ids) == 2


async def test_an_expired_token_lets_nobody_in_but_sends_nobody_away(api: Api, clock: MovableClock):
    issued = await new_token(api, await new_session(api), expireTime=at(60))
    async with Visit(api, issued["token"]) as inside:
        await inside.join()
        clock.now += 61
        async with Visit(api, issued["token"]) as late:
            assert await late.refused() == 4403
        await inside.socket.send_json({"type": "ping"})
        assert await inside.until("pong")


async def test_the_end_sends_everybody_away_and_their_tokens_open_nothing(api: Api):
    link = await new_session(api)
    issued = await new_token(api, link)
    async with Visit(api, issued["token"]) as inside:
        await inside.join()
        assert await ask(api, "PATCH", f"/session/{link}/end") == (204, None)
        assert (await inside.until("terminated"))["reason"] == "ended"
    async with Visit(api, issued["token"]) as late:
        assert await late.refused() == 4410


# editing and ending


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"isScheduled": True}, "Schedule Time is required if isScheduled is set to true"),
        ({"isScheduled": True, "scheduleTime": "soon"}, "Schedule Time is Not in correct format"),
        ({"isScheduled": True, "scheduleTime": 1000}, "Schedule Time cannot be set in the past"),
    ],
)
async def test_an_edit_that_cannot_be_is_refused_in_these_words(api: Api, body: dict, message: str):
    link = await new_session(api)
    assert await ask(api, "PATCH", f"/session/{link}", json=body) == error(400, message)


async def test_an_edit_of_nothing_known_is_refused(api: Api):
    assert await ask(api, "PATCH", "/session/Ab3_xYz-09", json={}) == error(404, "Meeting link Ab3_xYz-09 not found")


async def test_an_edited_schedule_counts(api: Api):
    link = await new_session(api)
    edit = {"isScheduled": True, "scheduleTime": at(HOUR), "createdBy": "whoever"}
    assert await ask(api, "PATCH", f"/session/{link}", json=edit) == (204, None)
    assert (await ask(api, "POST", f"/session/{link}/token", json={}))[0] == 400
    assert await ask(api, "PATCH", f"/session/{link}", json={"isScheduled": False}) == (204, None)
    await new_token(api, link)


async def test_an_edit_with_an_unknown_field_is_refused(api: Api):
    link = await new_session(api)
    status, answer = await ask(api, "PATCH", f"/session/{link}", json={"colour": "blue"})
    assert (status, [each["path"] for each in answer["error"]["details"]]) == (422, ["/colour"])


async def test_an_encrypted_session_is_never_archived(api: Api):
    link = await new_session(api, endToEndEncryption=True)
    refused = error(400, "End to end Encryption along with archiving is not possible")
    assert await ask(api, "PATCH", f"/session/{link}", json={"isArchived": True}) == refused


async def test_a_session_that_is_over_cannot_be_edited_or_ended_again(api: Api):
    link = await new_session(api)
    await ask(api, "PATCH", f"/session/{link}/end")
    assert await ask(api, "PATCH", f"/session/{link}", json={}) == error(400, "This meeting has been expired")
    assert await ask(api, "PATCH", f"/session/{link}/end") == error(400, "Meeting has already been ended!")


async def test_what_cannot_be_ended(api: Api):
    assert await ask(api, "PATCH", "/session/%20/end") == error(400, "Meeting link should be a valid string.")
    assert await ask(api, "PATCH", "/session/Ab3_xYz-09/end") == error(404, "Meeting Not Found")


# attendees


def told(event: str, data: str = "ada@example.org", **more: Any) -> dict[str, Any]:
    connection = {"id": "c-1", "createdAt": 1772440500143, "data": data}
    return {"projectId": "p", "event": event, "timestamp": 1772440500309, "connection": connection, **more}


async def tell(api: Api, body: Any, **headers: str) -> tuple[int, Any]:
    response = await api.send("POST", "/webhooks/session", key=None, json=body, headers=headers)
    return response.status, await response.json() if response.status != 204 else None


PRESENT, ABSENT = [("ada@example.org", False)], [("ada@example.org", True)]


@pytest.mark.parametrize(
    ("events", "listed"),
    [
        ([("connectionCreated", None)], PRESENT),
        ([("streamCreated", None)], []),
        ([("connectionDestroyed", None)], []),
        ([("somethingElse", None)], []),
        ([("connectionCreated", None), ("connectionDestroyed", "clientDisconnected")], ABSENT),
        ([("connectionCreated", None), ("streamDestroyed", "forceUnpublished")], PRESENT),
        ([("connectionCreated", None), ("streamDestroyed", "mediaStopped")], PRESENT),
        ([("connectionCreated", None), ("streamDestroyed", "networkDisconnected")], ABSENT),
        ([("connectionCreated", None), ("connectionDestroyed", None), ("connectionCreated", None)], PRESENT),
        ([("connectionCreated", None), ("connectionDestroyed", None), ("streamCreated", None)], ABSENT),
    ],
)
async def test_the_webhook_feeds_the_attendee_list(api: Api, events: list, listed: list):
    link = await new_session(api)
    session_id = (await new_token(api, link))["sessionId"]
    for event, reason in events:
        body = told(event, sessionId=session_id, **({} if reason is None else {"reason": reason}))
        assert await tell(api, body) == (204, None)
    found = await attendees(api, link)
    assert [(each["attendee"], each["isDeleted"]) for each in found] == listed
    if found:
        assert found[0]["extMetadata"]["webhookPayload"]["event"] == events[-1][0]


async def test_the_webhook_without_a_connection_fails_in_these_words(api: Api):
    status, answer = await tell(api, {"sessionId": "s", "event": "connectionCreated"})
    assert (status, answer["error"]["name"]) == (500, "InternalServerError")
    assert answer["error"]["message"].startswith("Error occured triggering webhook event ")


async def test_a_session_nobody_knows_is_taken_note_of(api: Api):
    assert await tell(api, told("connectionCreated", sessionId="of another server")) == (204, None)


async def test_with_a_secret_the_webhook_has_to_be_signed(tmp_path: Path, clock: MovableClock):
    settings = settings_for(tmp_path, sessions={"webhook_secret": "s3cret"})
    async with api_server(settings, clock, media=ListeningMedia) as api:
        body = told("connectionCreated", sessionId="s")
        assert (await tell(api, body))[0] == 401
        assert (await tell(api, body, **{"X-Webhook-Signature": "00"}))[0] == 401
        text = json.dumps(body)
        signature = hmac.new(b"s3cret", text.encode(), hashlib.sha256).hexdigest()
        headers = {"X-Webhook-Signature": signature, "Content-Type": "application/json"}
        response = await api.send("POST", "/webhooks/session", key=None, data=text, headers=headers)
        assert response.status == 204


async def test_our_own_participants_are_attendees(api: Api):
    link = await new_session(api)
    named = await new_token(api, link, data="ada@example.org")
    async with Visit(api, named["token"]) as ada:
        await ada.join()
        assert [each["attendee"] for each in await settled(api, link, 1)] == ["ada@example.org"]
        nameless = await new_token(api, link)
        async with Visit(api, nameless["token"], id="bob") as bob:
            await bob.join()
            assert [each["attendee"] for each in await settled(api, link, 2)] == ["ada@example.org", "bob"]
            await bob.socket.send_json({"type": "leave"})
            await bob.refused()
        await settled(api, link, 2)
        assert [each["attendee"] for each in await attendees(api, link, active="true")] == ["ada@example.org"]
        assert len(await attendees(api, link, active="TRUE")) == 2
        await ask(api, "PATCH", f"/session/{link}/end")
    assert await attendees(api, link, active="true") == []


async def settled(api: Api, link: str, count: int) -> list[dict[str, Any]]:
    """The list, when what has happened is entered in it."""
    await api.client.app[ATTENDEES].entered()
    found = await attendees(api, link)
    assert len(found) == count
    return found


async def test_attendees_of_nothing(api: Api):
    assert await ask(api, "GET", "/session/Ab3_xYz-09/attendees") == error(404, "Meeting Not Found")
