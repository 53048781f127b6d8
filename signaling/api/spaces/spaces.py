"""Spaces. Spaces contract, section 3."""

from aiohttp import web
from pydantic import BaseModel

from signaling.api import Operation, answer
from signaling.api.bodies import check, json_object
from signaling.api.spaces import WHO, user
from signaling.api.spaces.bodies import ChangedSpace, Made, NewSpace, SpaceAnswer, SpaceList, space
from signaling.appkeys import SPACES

PATH = "/v1/spaces/{spaceId}"
SPACE = {"spaceId": "Of the space"}
HIDDEN = {404: "There is no such space, or the caller does not see it"}
BODY = {
    400: "A parameter is missing or cannot be used",
    413: "The body is over 1 MiB",
    415: "The body is not application/json",
}


class SpaceQuery(BaseModel):
    public: str = ""


async def create_space(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(NewSpace, await json_object(request))
    made = await request.app[SPACES].create(
        caller, name=wanted.name, description=wanted.description, logo=wanted.logo, public=wanted.isPublic
    )
    return answer(Made(id=made.id), status=201)


async def list_spaces(request: web.Request) -> web.Response:
    found = await request.app[SPACES].list(request[WHO], public_too=request.query.get("public") == "true")
    return answer(SpaceList(items=[space(each) for each in found], total=len(found)))


async def fetch_space(request: web.Request) -> web.Response:
    found = await request.app[SPACES].fetch(request[WHO], request.match_info["spaceId"])
    return answer(space(found.space))


async def change_space(request: web.Request) -> web.Response:
    caller = user(request)
    wanted = check(ChangedSpace, await json_object(request))
    values = {"name": wanted.name, "is_public": wanted.isPublic}
    values |= {name: getattr(wanted, name) for name in ("description", "logo") if name in wanted.model_fields_set}
    return answer(space(await request.app[SPACES].change(caller, request.match_info["spaceId"], values)))


async def delete_space(request: web.Request) -> web.Response:
    await request.app[SPACES].delete(user(request), request.match_info["spaceId"])
    return web.Response(status=204)


SPACE_OPERATIONS = (
    Operation(
        "POST", "/v1/spaces", create_space, summary="Make a space", body=NewSpace, answers={201: Made}, errors=BODY
    ),
    Operation(
        "GET",
        "/v1/spaces",
        list_spaces,
        summary="List the spaces of a user, with public=true the public ones, too; of a client the public ones",
        query=SpaceQuery,
        answer=SpaceList,
        errors={},
    ),
    Operation(
        "GET", PATH, fetch_space, summary="Fetch a space", path_parameters=SPACE, answer=SpaceAnswer, errors=HIDDEN
    ),
    Operation(
        "PUT",
        PATH,
        change_space,
        summary="Change a space",
        path_parameters=SPACE,
        body=ChangedSpace,
        answer=SpaceAnswer,
        errors={**BODY, **HIDDEN},
    ),
    Operation(
        "DELETE",
        PATH,
        delete_space,
        summary="Delete a space and its rooms; calls in it end",
        path_parameters=SPACE,
        answers={204: None},
        errors=HIDDEN,
    ),
)
