"""What stands behind the links of spaces: the room's page and its embedding, and what an invite asks of a newcomer."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.api_server import Api, api_server, settings_for
from tests.support.clock import MovableClock
from tests.support.spaces import CLIENT, OTHER_CLIENT, Person, Visit, ask, client_token, grant, person, slug
from tests.support.team import Media

SITE = "https://school.example"
ALLOWED = "camera;microphone;fullscreen;autoplay;clipboard-write;display-capture;picture-in-picture;screen-wake-lock"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(now=0.0, wall_offset=1_772_440_500.123)


@pytest.fixture
async def api(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Api]:
    settings = settings_for(tmp_path, spaces={"clients": [CLIENT, OTHER_CLIENT]}, embed={"frame_ancestors": [SITE]})
    async with api_server(settings, clock, media=Media) as api:
        yield api


async def embedded(ada: Person, space: str, room: dict[str, Any], **query: str) -> dict[str, str]:
    response = await ada.api.send(
        "GET",
        f"/v1/spaces/{space}/rooms/{room['id']}/embed",
        key=None,
        headers={"Authorization": f"Bearer {ada.token}"},
        params=query,
    )
    assert response.status == 200
    told: dict[str, str] = await response.json()
    return told


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


# pages


async def test_a_room_has_a_page_that_the_configured_sites_may_embed(api: Api):
    ada = await person(api, "ada")
    room = await ada.room(await ada.space(isPublic=False), isPublic=False)
    response = await api.send("GET", f"/room/{room['alias']}", key=None)
    assert (response.status, response.content_type) == (200, "text/html")
    assert response.headers["Content-Security-Policy"].endswith(f"frame-ancestors {SITE}")
    assert "X-Frame-Options" not in response.headers
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path", ["/room/AAAAAAAAAA", "/room/short", "/room/%00%2F..", "/invite/" + "0" * 64, "/invite/x"]
)
async def test_a_link_that_leads_nowhere_says_so_on_a_page(api: Api, path: str):
    response = await api.send("GET", path, key=None)
    assert (response.status, response.content_type) == (404, "text/html")
    assert response.headers["Content-Security-Policy"].endswith(f"frame-ancestors {SITE}")
    assert "X-Frame-Options" not in response.headers


async def test_a_page_that_leads_nowhere_is_sent_again_although_it_is_known(api: Api):
    first = await api.send("GET", "/room/AAAAAAAAAA", key=None)
    again = await api.send("GET", "/room/AAAAAAAAAA", key=None, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 404


async def test_nobody_else_shows_the_page_of_an_invite_in_a_frame(api: Api):
    ada = await person(api, "ada")
    invite = await ada.made(f"/spaces/{await ada.space()}/invites", role="role_space_user")
    response = await api.send("GET", urlsplit(invite["url"]).path, key=None)
    assert response.status == 200
    assert response.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")


# embedding


async def test_what_is_embedded_is_escaped_whatever_was_named(api: Api):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space)
    evil = """"'><script>alert(1)</script>&x=1"""
    told = await embedded(ada, space, room, participantName=evil, accessToken=evil, width=evil, height=evil)
    [(tag, attributes)] = Tags(told["html"]).found
    assert (tag, attributes["width"], attributes["height"]) == ("iframe", evil, evil)
    assert attributes == {
        "src": told["src"],
        "width": evil,
        "height": evil,
        "frameborder": "0",
        "allow": told["allow"],
    }
    assert parse_qs(urlsplit(told["src"]).query) == {"participantName": [evil], "accessToken": [evil]}
    assert "<script" not in told["html"]


async def test_the_html_is_as_the_contract_has_it(api: Api):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space)
    told = await embedded(ada, space, room, participantName="Ann", accessToken="abc")
    assert told["allow"] == ALLOWED
    assert told["src"].endswith(f"/room/{room['alias']}?participantName=Ann&accessToken=abc")
    assert told["html"] == (
        f'<iframe src="{told["src"].replace("&", "&amp;")}" width="880" height="595" frameborder="0" '
        f'allow="{ALLOWED}"></iframe>'
    )


@pytest.mark.parametrize(
    ("switch", "policy"), [("camera", "camera"), ("microphone", "microphone"), ("screen", "display-capture")]
)
async def test_what_is_switched_off_is_left_out_and_forbidden(api: Api, switch: str, policy: str):
    ada = await person(api, "ada")
    space = await ada.space()
    told = await embedded(ada, space, await ada.room(space), **{switch: "0"})
    policies = told["allow"].split(";")
    assert policies == [each for each in ALLOWED.split(";") if each != policy] + [f"{policy} 'none'"]


async def test_only_who_may_enter_gets_the_html(api: Api):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space = await ada.space()
    private, public = await ada.room(space, isPublic=False), await ada.room(space)
    path = f"/v1/spaces/{space}/rooms"
    assert slug(await ask(api, "GET", f"{path}/{private['id']}/embed", bob.token)) == (404, "not_found")
    assert slug(await ask(api, "GET", f"{path}/{public['id']}/embed")) == (401, "unauthorized")
    assert (await ask(api, "GET", f"{path}/{public['id']}/embed", await client_token(api)))[0] == 200


# what a link opens


async def test_a_link_tells_what_it_opens_without_being_used_up(api: Api):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space, name="Talk", isPublic=False, type="webinar", isChatAllowed=False)
    path = f"/v1/entrances/{room['alias']}"
    made = await ada.made(f"/spaces/{space}/rooms/{room['id']}/generate-access", username="Gus")
    [token] = parse_qs(urlsplit(made["url"]).query)["accessToken"]
    allowed = {"isScreensharingAllowed": True, "isChatAllowed": False}
    opened = {"roomName": "Talk", "type": "webinar", "isPublic": False, **allowed}
    for _ in range(2):
        told = await ask(api, "GET", path, token)
        assert told == (200, {**opened, "participantName": "Gus", "role": "subscriber"})
    assert (await ask(api, "GET", path, ada.token))[1]["role"] == "moderator"
    assert slug(await ask(api, "GET", path)) == (403, "forbidden")
    assert slug(await ask(api, "GET", "/v1/entrances/AAAAAAAAAA", ada.token)) == (404, "not_found")
    async with Visit(api, room["alias"], token) as visit:
        await visit.join()
        await visit.socket.send_json({"type": "leave"})
        await visit.until("terminated")
    assert slug(await ask(api, "GET", path, token)) == (410, "access_used")


async def test_a_link_whose_time_is_over_says_so(api: Api, clock: MovableClock):
    ada = await person(api, "ada")
    space = await ada.space()
    room = await ada.room(space)
    made = await ada.made(f"/spaces/{space}/rooms/{room['id']}/generate-access", username="Gus", ttl=60)
    [token] = parse_qs(urlsplit(made["url"]).query)["accessToken"]
    clock.now += 61
    assert slug(await ask(api, "GET", f"/v1/entrances/{room['alias']}", token)) == (410, "access_expired")


async def test_a_public_room_is_open_to_guests_who_name_themselves(api: Api):
    ada = await person(api, "ada")
    room = await ada.room(await ada.space())
    status, told = await ask(api, "GET", f"/v1/entrances/{room['alias']}")
    assert (status, told["participantName"], told["role"], told["isPublic"]) == (200, None, "publisher", True)


async def test_a_refresh_token_opens_the_room_until_it_is_used(api: Api):
    ada = await person(api, "ada")
    room = await ada.room(await ada.space(isPublic=False), isPublic=False)
    signed_in = {"grant_type": "password", "username": "ada@acme.example.org", "password": "password of ada"}
    _, pair = await grant(api, **signed_in)
    for _ in range(2):
        async with Visit(api, room["alias"], pair["refresh_token"]) as visit:
            assert (await visit.join())["participant"]["id"] == ada.id
    await grant(api, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    async with Visit(api, room["alias"], pair["refresh_token"]) as late:
        assert (await late.join())["code"] == 4403


async def test_a_room_that_there_is_not_is_refused_as_such(api: Api):
    async with Visit(api, "AAAAAAAAAA", "") as visit:
        assert (await visit.join())["code"] == 4404


# invites, for who has no account yet


NEWCOMER = {"email": "new@example.org", "username": "Newcomer", "password": "secret of mine"}


async def invited(ada: Person, **body: Any) -> tuple[str, str, dict[str, Any]]:
    """A space, the path of an invite to it, and its only room."""
    space = await ada.space(name="School", isPublic=False)
    room = await ada.room(space, name="Class 3b", isPublic=False)
    wanted = {"role": "role_room_moderator", "roomId": room["id"], **body}
    invite = await ada.made(f"/spaces/{space}/invites", **{name: value for name, value in wanted.items() if value})
    return space, f"/v1/invites/{invite['token']}", room


async def test_an_invite_tells_what_it_is_for(api: Api):
    ada = await person(api, "ada")
    space, path, room = await invited(ada)
    told = {"spaceId": space, "spaceName": "School", "roomName": "Class 3b", "alias": room["alias"]}
    assert await ask(api, "GET", path) == (200, {**told, "role": "role_room_moderator"})
    space, path, _ = await invited(ada, role="role_space_user", roomId=None)
    told = {"spaceId": space, "spaceName": "School", "roomName": None, "alias": None}  # type: ignore[dict-item]
    assert await ask(api, "GET", path) == (200, {**told, "role": "role_space_user"})


async def test_a_newcomer_registers_and_then_takes_the_role(api: Api):
    ada = await person(api, "ada")
    space, path, room = await invited(ada)
    status, pair = await ask(api, "POST", f"{path}/register", json=NEWCOMER)
    assert (status, pair["token_type"]) == (201, "Bearer")
    assert (await ask(api, "GET", path))[0] == 200, "the invite has not been used up"
    granted = {"spaceId": space, "roomId": room["id"], "role": "role_room_moderator"}
    assert await ask(api, "POST", f"{path}/activate", pair["access_token"]) == (200, granted)
    async with Visit(api, room["alias"], pair["refresh_token"]) as visit:
        joined = await visit.join()
        assert (joined["participant"]["name"], joined["participant"]["role"]) == ("Newcomer", "moderator")


async def test_a_user_signs_in_by_an_invite(api: Api):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    _, path, _ = await invited(ada)
    wrong = {"email": "bob@acme.example.org", "password": "wrong"}
    assert slug(await ask(api, "POST", f"{path}/sign-in", json=wrong)) == (400, "invalid_grant")
    status, pair = await ask(api, "POST", f"{path}/sign-in", json={**wrong, "password": "password of bob"})
    assert (status, (await ask(api, "GET", "/v1/users/me", pair["access_token"]))[1]["id"]) == (200, bob.id)


async def test_an_address_that_is_in_use_is_not_registered_again(api: Api):
    ada = await person(api, "ada")
    _, path, _ = await invited(ada)
    body = {**NEWCOMER, "email": "ADA@acme.example.org"}
    assert slug(await ask(api, "POST", f"{path}/register", json=body)) == (409, "conflict")


@pytest.mark.parametrize("wrong", [{"email": "x"}, {"username": ""}, {"password": "short"}])
async def test_a_newcomer_who_says_too_little_is_told(api: Api, wrong: dict[str, str]):
    _, path, _ = await invited(await person(api, "ada"))
    answer = await ask(api, "POST", f"{path}/register", json={**NEWCOMER, **wrong})
    assert slug(answer) == (400, "invalid_request")
    assert next(iter(wrong)) in answer[1]["error_description"]


async def test_an_account_opened_by_an_invite_is_of_its_spaces_client(api: Api):
    ada, eve = await person(api, "ada"), await person(api, "eve", OTHER_CLIENT)
    _, path, _ = await invited(ada)
    eves = {"email": "eve@other.example.org", "password": "password of eve"}
    assert slug(await ask(api, "POST", f"{path}/sign-in", json=eves)) == (400, "invalid_grant")
    assert eve.id


@pytest.mark.parametrize(
    ("end", "said"), [("use", "invite_used"), ("delete", "invite_expired"), ("time", "invite_expired")]
)
async def test_an_invite_that_is_over_shows_why_and_opens_no_account(
    api: Api, clock: MovableClock, end: str, said: str
):
    ada, bob = await person(api, "ada"), await person(api, "bob")
    space, path, _ = await invited(ada, ttl=3600)
    if end == "use":
        await bob.made(path.removeprefix("/v1") + "/activate")
    elif end == "delete":
        [invite] = (await ada.ask("GET", f"/spaces/{space}/invites"))[1]["items"]
        await ada.ask("DELETE", f"/spaces/{space}/invites/{invite['id']}")
    else:
        clock.now += 3601
    page = await api.send("GET", path.removeprefix("/v1").replace("invites", "invite"), key=None)
    assert page.status == 200
    assert slug(await ask(api, "GET", path)) == (410, said)
    assert slug(await ask(api, "POST", f"{path}/register", json=NEWCOMER)) == (410, said)
    assert slug(await ask(api, "POST", f"{path}/sign-in", json={"email": "a@b.example", "password": "x"})) == (
        410,
        said,
    )


async def test_an_invite_that_there_is_not_is_not_found(api: Api):
    assert slug(await ask(api, "GET", f"/v1/invites/{'0' * 64}")) == (404, "not_found")
