"""Tokens by secret, password or refresh token; personal tokens of users. Spaces contract, section 1."""

from urllib.parse import parse_qsl

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation, answer
from signaling.api.bodies import check, json_object
from signaling.api.spaces import TOKEN_PATH, user
from signaling.api.spaces.bodies import name
from signaling.api.spaces.errors import UnsupportedGrant
from signaling.appkeys import SPACES_ACCOUNTS
from signaling.services.errors import BadBody, Missing, TooLarge
from signaling.services.events import iso
from signaling.services.spaces.accounts import Accounts, TokenPair

_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 20


class TokenRequest(BaseModel):
    client_id: str
    client_secret: str
    grant_type: str
    username: str | None = None
    password: str | None = None
    refresh_token: str | None = None


class TokenAnswer(BaseModel):
    token_type: str
    access_token: str
    refresh_token: str
    expires_in: int


class NewPersonalToken(BaseModel):
    name: name(255)  # type: ignore[valid-type]


class PersonalTokenMade(BaseModel):
    id: str
    token: str
    createdAt: str


class PersonalToken(BaseModel):
    id: str
    name: str
    createdAt: str


class PersonalTokens(BaseModel):
    items: list[PersonalToken]


async def spaces_token(request: web.Request) -> web.Response:
    accounts = request.app[SPACES_ACCOUNTS]
    wanted = check(TokenRequest, await _parameters(request))
    client_id = accounts.check_client(wanted.client_id, wanted.client_secret)
    pair = await _pair(accounts, client_id, wanted)
    return answer(rendered(pair))


async def create_personal_token(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(NewPersonalToken, await json_object(request))
    record, token = await request.app[SPACES_ACCOUNTS].new_personal_token(caller.user_id or "", wanted.name)
    made = PersonalTokenMade(id=record.id, token=token, createdAt=iso(record.created_ms / 1000))
    return answer(made, status=201)


async def list_personal_tokens(request: web.Request) -> web.Response:
    found = await request.app[SPACES_ACCOUNTS].personal_tokens(user(request).user_id or "")
    items = [PersonalToken(id=each.id, name=each.name, createdAt=iso(each.created_ms / 1000)) for each in found]
    return answer(PersonalTokens(items=items))


async def delete_personal_token(request: web.Request) -> web.Response:
    await request.app[SPACES_ACCOUNTS].delete_personal_token(user(request).user_id or "", request.match_info["id"])
    return web.Response(status=204)


def rendered(pair: TokenPair) -> TokenAnswer:
    return TokenAnswer(
        token_type="Bearer",  # noqa: S106 - the name of a scheme
        access_token=pair.access,
        refresh_token=pair.refresh,
        expires_in=pair.expires_in,
    )


async def _pair(accounts: Accounts, client_id: str, wanted: TokenRequest) -> TokenPair:
    match wanted.grant_type:
        case "client_credentials":
            return await accounts.for_client(client_id)
        case "password":
            username, password = _given(wanted.username, "username"), _given(wanted.password, "password")
            return await accounts.by_password(client_id, username, password)
        case "refresh_token":
            return await accounts.by_refresh(client_id, _given(wanted.refresh_token, "refresh_token"))
        case _:
            raise UnsupportedGrant


def _given(value: str | None, parameter: str) -> str:
    if not value:
        raise Missing(parameter)
    return value


async def _parameters(request: web.Request) -> dict[str, object]:
    """Of a form or JSON."""
    if request.content_type != _FORM:
        return dict(await json_object(request))
    try:
        text = (await request.read()).decode()
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS))
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge from None
    except (ValueError, web.RequestPayloadError):
        raise BadBody("The body is no form.") from None


_BODY = {413: "The body is over 1 MiB", 415: "The body is neither JSON nor a form"}
TOKEN_OPERATIONS = (
    Operation(
        "POST",
        TOKEN_PATH,
        spaces_token,
        summary="Get tokens: for a client by its secret, for a user by e-mail and password, or by a refresh token",
        body=TokenRequest,
        body_types=("application/json", _FORM),
        public=True,
        answer=TokenAnswer,
        errors={
            400: "A parameter is missing, or the user or refresh token is wrong",
            429: "Too many attempts",
            **_BODY,
        },
    ),
    Operation(
        "POST",
        "/v1/users/me/tokens",
        create_personal_token,
        summary="Make a token for an application; it is shown only here",
        body=NewPersonalToken,
        answers={201: PersonalTokenMade},
        errors={400: "A parameter cannot be used", 404: "The user is gone", 409: "There are too many", **_BODY},
    ),
    Operation(
        "GET",
        "/v1/users/me/tokens",
        list_personal_tokens,
        summary="List the tokens of one's applications",
        answer=PersonalTokens,
        errors={},
    ),
    Operation(
        "DELETE",
        "/v1/users/me/tokens/{id}",
        delete_personal_token,
        summary="Delete one: it is worth nothing at once",
        path_parameters={"id": "Of the token"},
        answers={204: None},
        errors={404: "There is no such token"},
    ),
)
