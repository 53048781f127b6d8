"""The spaces API as organisations rely on it: each line of its contract once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.api_server import KEY, Api, api_server, settings_for, web_token
from tests.support.clock import MovableClock
from tests.support.spaces import (
    CAMERA,
    CLIENT,
    OFFER,
    OTHER_CLIENT,
    Person,
    Visit,
    ask,
    client_token,
    enters,
    grant,
    person,
    slug,
)
from tests.support.team import Media

DAY = 86400


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=1_772_440_500.123)


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    settings = settings_for(tmp_path, spaces={"clients": [CLIENT, OTHER_CLIENT]})
    async with api_server(settings, clock, media=Media) as api:
        yield api


# tokens


async def test_a_client_gets_tokens_by_its_secret(api: Api):
    status, answer = await grant(api, grant_type="client_credentials")
    assert status == 200
    assert {name: answer[name] for name in ("token_type", "expires_in")} == {
        "token_type": "Bearer",
        "expires_in": 604800,
    }
    assert answer["access_token"] != answer["refresh_token"]


async def test_a_form_will_do(api: Api):
    response = await api.send("POST", "/v1/auth/token", key=None, data={**CLIENT, "grant_type": "client_credentials"})
    assert response.status == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"client_secret": "wrong", "grant_type": "client_credentials"}, (401, "invalid_client")),
        ({"grant_type": "password", "username": "nobody@example.org", "password": "x"}, (400, "invalid_grant")),
        ({"grant_type": "refresh_token", "refresh_token": "nonsense"}, (400, "invalid_grant")),
        ({"grant_type": "magic"}, (400, "unsupported_grant_type")),
        ({}, (400, "invalid_request")),
        ({"grant_type": "password", "username": "a@example.org"}, (400, "invalid_request")),
    ],
)
async def test_a_grant_that_is_refused_is_told_why(api: Api, body: dict[str, str], expected: tuple[int, str]):
    assert slug(await grant(api, **body)) == expected


async def test_wrong_credentials_are_told_in_these_words(api: Api):
    _, answer = await grant(api, grant_type="password", username="nobody@example.org", password="x")
    assert answer == {"error": "invalid_grant", "error_description": "Invalid credentials"}


async def test_a_refresh_token_is_good_once(api: Api):
    _, first = await grant(api, grant_type="client_credentials")
    used = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    status, second = await grant(api, **used)
    assert status == 200
    assert slug(await grant(api, **used)) == (400, "invalid_grant")
    assert (await ask(api, "GET", "/v1/spaces", second["access_token"]))[0] == 200


async def test_tokens_end_after_seven_and_twenty_one_days(api: Api, clock: MovableClock):
    _, pair = await grant(api, grant_type="client_credentials")
    clock.now += 7 * DAY + 1
    assert slug(await ask(api, "GET", "/v1/spaces", pair["access_token"])) == (401, "unauthorized")
    clock.now += 14 * DAY
    refresh = await grant(api, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert slug(refresh) == (400, "invalid_grant")


@pytest.mark.parametrize("token", [None, "", "nonsense", "f" * 64, KEY, web_token()])
async def test_a_token_of_nobody_or_of_another_family_opens_nothing(api: Api, token: str | None):
    assert slug(await ask(api, "GET", "/v1/spaces", token)) == (401, "unauthorized")


async def test_a_refresh_token_is_no_access_token(api: Api):
    _, pair = await grant(api, grant_type="client_credentials")
    assert slug(await ask(api, "GET", "/v1/spaces", pair["refresh_token"])) == (401, "unauthorized")


async def test_a_client_may_not_do_what_users_do(api: Api):
    token = await client_token(api)
    assert slug(await ask(api, "POST", "/v1/spaces", token, json={"name": "x"})) == (403, "forbidden")
    assert slug(await ask(api, "GET", "/v1/users/me", token)) == (403, "forbidden")


async def test_a_personal_token_is_its_users_until_it_is_deleted(api: Api, clock: MovableClock):
    ada = await person(api, "ada")
    made = await ada.made("/users/me/tokens", name="script")
    clock.now += 365 * DAY
    script = Person(api, ada.id, made["token"])
    assert (await script.ask("GET", "/users/me"))[1]["id"] == ada.id
    status, listed = await script.ask("GET", "/users/me/tokens")
    assert (status, [set(each) for each in listed["items"]]) == (200, [{"id", "name", "createdAt"}])
    assert (await script.ask("DELETE", f"/users/me/tokens/{made['id']}"))[0] == 204
    assert slug(await script.ask("GET", "/users/me")) == (401, "unauthorized")


async def test_guessing_passwords_is_slowed_down(api: Api, clock: MovableClock):
    await person(api, "ada")
    wrong = {"grant_type": "password", "username": "ada@acme.example.org", "password": "wrong"}
    for _ in range(10):
        assert (await grant(api, **wrong))[0] == 400
    assert slug(await grant(api, **wrong)) == (429, "too_many_requests")
    clock.now += 61
    assert (await grant(api, **{**wrong, "password": "password of ada"}))[0] == 200


# users


async def test_a_user_is_known_by_their_address_in_any_case(api: Api):
    ada = await person(api, "ada")
    body = {"email": "ADA@acme.example.org", "username": "Another", "password": "secret"}
    assert slug(await ada.ask("POST", "/users", **body)) == (409, "conflict")
    assert await ada.ask("GET", "/users/me") == (
        200,
        {"id": ada.id, "email": "ada@acme.example.org", "username": "ada", "phone": None},
    )


@pytest.mark.parametrize(
    "wrong", [{"email": "nonsense"}, {"username": ""}, {"username": "x" * 101}, {"password": "short"}, {"email": None}]
)
async def test_a_user_that_cannot_be_is_refused(api: Api, wrong: dict[str, Any]):
    body = {"email": "bob@example.org", "username": "bob", "password": "secret", **wrong}
    answer = await ask(api, "POST", "/v1/users", await client_token(api), json=body)
    assert slug(answer) == (400, "invalid_request")
    assert next(iter(wrong)) in answer[1]["error_description"]


async def test_passwords_are_not_kept_as_they_are(api: Api, tmp_path: Path):
    await person(api, "ada")
    stored = _files(tmp_path)
    assert b"ada@acme.example.org" in stored
    assert b"password of ada" not in stored


def _files(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.glob("folkmoot.db*"))


# spaces


async def test_a_space_is_its_owners(api: Api):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space(description="d")
    _, found = await bob.ask("GET", f"/spaces/{space}")
    assert found | {"createdAt": ""} == {
        "id": space,
        "name": "School",
        "description": "d",
        "logo": None,
        "isPublic": True,
        "ownerId": ada.id,
        "createdAt": "",
    }
    changed = {"name": "Academy", "isPublic": False}
    assert slug(await bob.ask("PUT", f"/spaces/{space}", **changed)) == (403, "forbidden")
    assert (await ada.ask("PUT", f"/spaces/{space}", **changed))[1]["name"] == "Academy"
    assert slug(await bob.ask("GET", f"/spaces/{space}")) == (404, "not_found")
    assert slug(await bob.ask("DELETE", f"/spaces/{space}")) == (404, "not_found")
    assert (await ada.ask("DELETE", f"/spaces/{space}"))[0] == 204
    assert slug(await ada.ask("GET", f"/spaces/{space}")) == (404, "not_found")


async def test_another_clients_space_is_as_unknown_as_none(api: Api):
    ada, eve = await person(api, "ada"), await person(api, "eve", OTHER_CLIENT)
    space = await ada.space()
    assert slug(await eve.ask("GET", f"/spaces/{space}")) == (404, "not_found")
    assert (await eve.ask("GET", "/spaces?public=true"))[1] == {"items": [], "total": 0}


async def test_who_sees_which_spaces(api: Api):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    public, private = await ada.space(), await ada.space(isPublic=False)

    async def listed(token: str, query: str = "") -> list[str]:
        _, answer = await ask(api, "GET", f"/v1/spaces{query}", token)
        assert answer["total"] == len(answer["items"])
        return [each["id"] for each in answer["items"]]

    assert set(await listed(ada.token)) == {public, private}
    assert await listed(bob.token) == []
    assert await listed(bob.token, "?public=true") == [public]
    assert await listed(await client_token(api)) == [public]
    await ada.ask("POST", f"/spaces/{private}/roles", targetUserId=bob.id, role="role_space_user")
    assert await listed(bob.token) == [private]


@pytest.mark.parametrize("wrong", [{"name": None}, {"name": "x" * 256}, {"name": " "}, {"isPublic": "yes"}])
async def test_a_space_that_cannot_be_is_refused(api: Api, wrong: dict[str, Any]):
    ada = await person(api, "ada")
    assert slug(await ada.ask("POST", "/spaces", **{"name": "x", **wrong})) == (400, "invalid_request")


async def test_a_change_of_a_space_names_and_shows_it(api: Api):
    ada = await person(api, "ada")
    space = await ada.space()
    assert slug(await ada.ask("PUT", f"/spaces/{space}", name="x")) == (400, "invalid_request")


# rooms and who may enter


async def test_a_room_has_an_alias_for_links(api: Api):
    ada = await person(api, "ada")
    space = await ada.space()
    made = await ada.room(space)
    assert set(made) == {"alias", "id", "channelId"}
    assert len(made["alias"]) == 10
    _, room = await ada.ask("GET", f"/spaces/{space}/rooms/{made['id']}")
    kept = {
        name: room[name] for name in ("type", "isPublic", "isScreensharingAllowed", "isChatAllowed", "activeCallId")
    }
    assert kept == {
        "type": "lesson",
        "isPublic": True,
        "isScreensharingAllowed": True,
        "isChatAllowed": True,
        "activeCallId": None,
    }
    assert (room["creatorId"], room["spaceId"]) == (ada.id, space)


ENTRY = [
    # space public, room public, who may come in
    (True, True, {"owner", "creator", "space moderator", "space user", "room user", "user", "guest", "access"}),
    (False, True, {"owner", "creator", "space moderator", "space user", "room user", "access"}),
    (True, False, {"creator", "room user", "access"}),
    (False, False, {"creator", "room user", "access"}),
]


@pytest.mark.parametrize(("space_public", "room_public", "may"), ENTRY)
async def test_who_may_enter(api: Api, space_public: bool, room_public: bool, may: set[str]):
    names = ["owner", "creator", "space-moderator", "space-user", "room-user", "user"]
    people = {each.replace("-", " "): await person(api, each) for each in names}
    owner, creator = people["owner"], people["creator"]
    space = await owner.space(isPublic=space_public)
    for who, role in (("creator", "moderator"), ("space moderator", "moderator"), ("space user", "user")):
        await owner.made(f"/spaces/{space}/roles", targetUserId=people[who].id, role=f"role_space_{role}")
    room = await creator.room(space, isPublic=room_public)
    path = f"/spaces/{space}/rooms/{room['id']}"
    await creator.made(f"{path}/roles", targetUserId=people["room user"].id, role="role_room_user")
    access = await creator.made(f"{path}/generate-access", username="Guest", isPermanent=True)
    [token] = parse_qs(urlsplit(access["url"]).query)["accessToken"]
    tokens = {who: each.token for who, each in people.items()} | {"guest": "", "access": token}

    entered = {who for who, each in tokens.items() if await enters(api, room["alias"], each)}
    seen = {who for who, each in people.items() if (await each.ask("GET", path))[0] == 200}
    assert entered == may
    assert seen == may & set(people)


@pytest.mark.parametrize(("kind", "role"), [("lesson", "publisher"), ("webinar", "subscriber")])
async def test_only_moderators_send_in_a_webinar(api: Api, kind: str, role: str):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space()
    room = await ada.room(space, type=kind)
    async with Visit(api, room["alias"], ada.token) as first, Visit(api, room["alias"], bob.token) as second:
        assert (await first.join())["participant"]["role"] == "moderator"
        assert (await second.join())["participant"]["role"] == role
        answer = await second.ask(type="offer", pc="publish", seq=1, sdp="v=0", streams=[])
        assert (answer.get("name") == "forbidden") is (kind == "webinar")


async def test_an_anonymous_guest_has_a_name_and_no_rights_over_others(api: Api):
    ada = await person(api, "ada")
    room = await ada.room(await ada.space())
    async with Visit(api, room["alias"], "") as guest:
        joined = await guest.join(name="Gast")
        assert (joined["participant"]["name"], joined["participant"]["guest"]) == ("Gast", True)
        assert (await guest.ask(type="kick", user_id=ada.id))["name"] == "forbidden"


async def test_what_a_room_does_not_allow_is_cut_off_at_once(api: Api):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space)
    async with Visit(api, room["alias"], ada.token) as visit:
        assert (await visit.join())["options"]["isChatAllowed"] is True
        assert (await visit.ask(type="chat", content="hello"))["type"] == "ok"
        await ada.ask("PUT", f"/spaces/{space}/rooms/{room['id']}", name="x", isChatAllowed=False)
        assert (await visit.ask(type="chat", content="hello"))["name"] == "forbidden"


async def test_a_call_can_be_ended_and_runs_once(api: Api):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space()
    room = await ada.room(space)
    path = f"/spaces/{space}/rooms/{room['id']}"
    assert slug(await ada.ask("POST", f"{path}/end")) == (409, "conflict")
    async with Visit(api, room["alias"], ada.token) as visit:
        await visit.join()
        assert (await ada.ask("GET", path))[1]["activeCallId"]
        assert slug(await bob.ask("POST", f"{path}/end")) == (403, "forbidden")
        assert (await ada.ask("POST", f"{path}/end"))[0] == 204
        assert (await visit.until("terminated"))["reason"] == "ended"
    assert (await ada.ask("GET", path))[1]["activeCallId"] is None


async def test_rights_over_a_room(api: Api):
    owner, creator, bob = [await person(api, name) for name in ("owner", "creator", "bob")]
    space = await owner.space()
    await owner.made(f"/spaces/{space}/roles", targetUserId=creator.id, role="role_space_moderator")
    room = await creator.room(space)
    path = f"/spaces/{space}/rooms/{room['id']}"
    assert slug(await bob.ask("POST", f"/spaces/{space}/rooms", name="x")) == (403, "forbidden")
    assert slug(await bob.ask("PUT", path, name="x")) == (403, "forbidden")
    assert slug(await bob.ask("DELETE", path)) == (403, "forbidden")
    assert slug(await bob.ask("POST", f"{path}/generate-access", username="x")) == (403, "forbidden")
    assert (await creator.ask("PUT", path, name="x"))[1]["name"] == "x"
    assert (await owner.ask("DELETE", path))[0] == 204
    assert slug(await creator.ask("GET", path)) == (404, "not_found")


# roles


async def test_taking_a_role_cuts_somebody_off(api: Api):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space()
    room = await ada.room(space, isPublic=False)
    roles = f"/spaces/{space}/rooms/{room['id']}/roles"
    assert slug(await ada.ask("POST", roles, targetUserId="nobody", role="role_room_user")) == (404, "not_found")
    assert slug(await ada.ask("POST", roles, targetUserId=bob.id, role="role_king")) == (400, "invalid_request")
    await ada.made(roles, targetUserId=bob.id, role="role_room_user")
    assert (await ada.ask("GET", roles))[1] == {"items": [{"userId": bob.id, "role": "role_room_user"}]}
    async with Visit(api, room["alias"], bob.token) as visit:
        await visit.join()
        assert (await ada.ask("DELETE", f"{roles}/{bob.id}"))[0] == 204
        assert (await visit.until("terminated"))["reason"] == "access_revoked"
    assert not await enters(api, room["alias"], bob.token)


async def test_a_listener_who_is_made_a_moderator_may_send_at_once_and_not_when_it_is_taken(api: Api):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space()
    room = await ada.room(space, type="webinar")
    roles = f"/spaces/{space}/rooms/{room['id']}/roles"
    async with Visit(api, room["alias"], ada.token) as first, Visit(api, room["alias"], bob.token) as second:
        await first.join()
        await second.join()
        assert (await second.ask(**OFFER, seq=1, streams=[CAMERA]))["name"] == "forbidden"
        await ada.made(roles, targetUserId=bob.id, role="role_room_moderator")
        for visit in (first, second):
            told = await visit.until("role_update")
            assert told == {"type": "role_update", "user_id": bob.id, "role": "moderator"}
        assert (await second.ask(**OFFER, seq=2, streams=[CAMERA]))["type"] == "answer"
        assert (await ada.ask("DELETE", f"{roles}/{bob.id}"))[0] == 204
        assert (await second.until("role_update"))["role"] == "subscriber"
        async with Visit(api, room["alias"], "") as late:
            assert (await late.join(name="Gast"))["streams"] == []
        assert (await second.ask(**OFFER, seq=3, streams=[CAMERA]))["name"] == "forbidden"


async def test_a_lesson_that_becomes_a_webinar_leaves_the_word_to_moderators(api: Api):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space)
    path = f"/spaces/{space}/rooms/{room['id']}"
    async with Visit(api, room["alias"], ada.token) as first, Visit(api, room["alias"], "") as guest:
        await first.join()
        joined = await guest.join(name="Gast")
        await ada.ask("PUT", path, name="x", type="webinar", isScreensharingAllowed=False)
        assert (await guest.until("options_update"))["options"] == {
            "type": "webinar",
            "isScreensharingAllowed": False,
            "isChatAllowed": True,
        }
        told = await guest.until("role_update")
        assert (told["user_id"], told["role"]) == (joined["participant"]["id"], "subscriber")
        assert (await first.ask(**OFFER, seq=1, streams=[CAMERA]))["type"] == "answer"


async def test_an_invite_raises_somebody_who_is_inside_already(api: Api):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space()
    room = await ada.room(space, type="webinar")
    invite = await ada.made(f"/spaces/{space}/invites", role="role_room_moderator", roomId=room["id"])
    async with Visit(api, room["alias"], bob.token) as visit:
        assert (await visit.join())["participant"]["role"] == "subscriber"
        await bob.made(f"/invites/{invite['token']}/activate")
        assert (await visit.until("role_update"))["role"] == "moderator"


# invites


async def test_an_invite_gives_its_role_once(api: Api):
    ada, bob, eve = [await person(api, name) for name in ("ada", "bob", "eve")]
    space = await ada.space(isPublic=False)
    invite = await ada.made(f"/spaces/{space}/invites", role="role_space_user")
    assert invite["url"].endswith(f"/invite/{invite['token']}")
    path = f"/spaces/{space}/invites/{invite['id']}/activate"
    assert await bob.ask("POST", path) == (200, {"spaceId": space, "roomId": None, "role": "role_space_user"})
    for again in (bob, eve):
        assert slug(await again.ask("POST", path)) == (410, "invite_used")
    assert (await bob.ask("GET", f"/spaces/{space}"))[0] == 200
    _, listed = await ada.ask("GET", f"/spaces/{space}/invites")
    [line] = listed["items"]
    assert line["activatedBy"] == bob.id
    assert "token" not in line


@pytest.mark.parametrize("by", ["id", "token"])
async def test_an_invite_to_a_room_is_found_by_id_or_token(api: Api, by: str):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space()
    room = await ada.room(space, isPublic=False)
    invite = await ada.made(f"/spaces/{space}/invites", role="role_room_moderator", roomId=room["id"])
    assert (await bob.ask("POST", f"/spaces/{space}/invites/{invite[by]}/activate"))[1]["roomId"] == room["id"]
    assert (await bob.ask("PUT", f"/spaces/{space}/rooms/{room['id']}", name="mine"))[0] == 200


async def test_an_invite_ends_by_time_or_deletion(api: Api, clock: MovableClock):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space()
    short = await ada.made(f"/spaces/{space}/invites", role="role_space_user", ttl=60)
    deleted = await ada.made(f"/spaces/{space}/invites", role="role_space_user")
    assert (await ada.ask("DELETE", f"/spaces/{space}/invites/{deleted['id']}"))[0] == 204
    clock.now += 61
    for invite in (short, deleted):
        answer = await bob.ask("POST", f"/spaces/{space}/invites/{invite['id']}/activate")
        assert slug(answer) == (410, "invite_expired")
    assert slug(await bob.ask("POST", f"/spaces/{space}/invites/unknown/activate")) == (404, "not_found")


async def test_an_activation_that_fails_uses_nothing_up(api: Api):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space()
    invite = await ada.made(f"/spaces/{space}/invites", role="role_space_user")
    path = f"/v1/spaces/{space}/invites/{invite['id']}/activate"
    assert (await ask(api, "POST", path))[0] == 401
    assert (await ask(api, "POST", path, await client_token(api)))[0] == 403
    assert (await bob.ask("POST", path.removeprefix("/v1")))[0] == 200


async def test_a_higher_role_stays(api: Api):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space()
    await ada.made(f"/spaces/{space}/roles", targetUserId=bob.id, role="role_space_moderator")
    invite = await ada.made(f"/spaces/{space}/invites", role="role_space_user")
    await bob.made(f"/invites/{invite['token']}/activate")
    assert (await ada.ask("GET", f"/spaces/{space}/roles"))[1]["items"][0]["role"] == "role_space_moderator"


async def test_an_invite_with_a_role_that_does_not_fit_is_refused(api: Api):
    ada = await person(api, "ada")
    space = await ada.space()
    for role in ("role_room_user", "role_king"):
        assert slug(await ada.ask("POST", f"/spaces/{space}/invites", role=role)) == (400, "invalid_request")


# access for people without an account


async def access_token(ada: Person, space: str, room: dict[str, Any], **body: Any) -> str:
    path = f"/spaces/{space}/rooms/{room['id']}/generate-access"
    made = await ada.made(path, **{"username": "Grandma & Co", **body})
    parts = urlsplit(made["url"])
    said = parse_qs(parts.query)
    assert (parts.path, said["participantName"]) == (f"/room/{room['alias']}", ["Grandma & Co"])
    return said["accessToken"][0]


async def test_a_one_time_access_token_dies_with_the_first_join(api: Api):
    ada = await person(api, "ada")
    space = await ada.space(isPublic=False)
    room = await ada.room(space, isPublic=False)
    token = await access_token(ada, space, room)
    async with Visit(api, room["alias"], token) as looking:
        await looking.until("room_setup")
    async with Visit(api, room["alias"], token) as visit:
        joined = await visit.join()
        assert (joined["participant"]["name"], joined["participant"]["guest"]) == ("Grandma & Co", True)
        async with Visit(api, room["alias"], token) as again:
            assert (await again.join())["participant"]["id"] == joined["participant"]["id"]
            await again.socket.send_json({"type": "leave"})
            await again.until("terminated")
    async with Visit(api, room["alias"], token) as late:
        assert (await late.join())["code"] == 4410


async def test_a_lasting_access_token_lasts_until_its_time_is_over(api: Api, clock: MovableClock):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space, isPublic=False, type="webinar")
    token = await access_token(ada, space, room, isPermanent=True, ttl=3600, role="moderator")
    for _ in range(2):
        async with Visit(api, room["alias"], token) as visit:
            assert (await visit.join())["participant"]["role"] == "moderator"
    clock.now += 3601
    async with Visit(api, room["alias"], token) as late:
        assert (await late.join())["code"] == 4410


async def test_an_access_token_is_for_its_room_alone(api: Api):
    ada = await person(api, "ada")
    space = await ada.space()
    one, other = await ada.room(space, isPublic=False), await ada.room(space, isPublic=False)
    assert not await enters(api, other["alias"], await access_token(ada, space, one))


@pytest.mark.parametrize(("known", "refused"), [(True, False), (False, True)])
async def test_an_access_token_is_a_bearer_for_encoders_too(api: Api, known: bool, refused: bool):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space, isPublic=False)
    token = await access_token(ada, space, room, isPermanent=True) if known else "0" * 64
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    response = await api.send("POST", f"/whip/{room['channelId']}", key=None, headers=headers, data="no description")
    assert (response.status in (401, 403)) is refused
    assert refused or response.status == 400
