"""Users. Spaces contract, section 2."""

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation, answer
from signaling.api.bodies import check, json_object
from signaling.api.spaces import WHO, user
from signaling.api.spaces.bodies import Made, NewUser
from signaling.appkeys import SPACES_ACCOUNTS


class UserAnswer(BaseModel):
    id: str
    email: str
    username: str
    phone: str | None


async def create_user(request: web.Request) -> web.Response:
    wanted = check(NewUser, await json_object(request))
    user_id = await request.app[SPACES_ACCOUNTS].register(
        request[WHO].client_id,
        email=wanted.email,
        username=wanted.username,
        password=wanted.password,
        phone=wanted.phone,
    )
    return answer(Made(id=user_id), status=201)


async def fetch_user(request: web.Request) -> web.Response:
    found = await request.app[SPACES_ACCOUNTS].user(user(request).user_id or "")
    return answer(UserAnswer(id=found.id, email=found.email, username=found.username, phone=found.phone))


USER_OPERATIONS = (
    Operation(
        "POST",
        "/v1/users",
        create_user,
        summary="Register a user",
        body=NewUser,
        answers={201: Made},
        errors={
            400: "A parameter is missing or cannot be used",
            409: "The e-mail address is somebody's",
            413: "The body is over 1 MiB",
            415: "The body is not application/json",
            429: "Too many people sign in",
        },
    ),
    Operation("GET", "/v1/users/me", fetch_user, summary="Fetch oneself", answer=UserAnswer, errors={404: "Gone"}),
)
