"""The REST families against their own description: whatever may be sent, no answer is undocumented or a failure.

Requests are made up by schemathesis from /openapi.json, valid and invalid ones, with a fixed seed.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import given
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation

from signaling.api.openapi import describe
from signaling.version import VERSION
from tests.support.api_server import KEY, ROOMS, IdleMedia, settings_for, spaces_token, web_token
from tests.support.described import CHECKS, LIMITS, families, serving

EVERYBODY = families(settings_for(Path("unused")))
DOCUMENT = describe([family for family in EVERYBODY if family.name != "rooms"], VERSION)  # they have a file of theirs
BEARERS = {"sessions": web_token(), "spaces": spaces_token("0" * 24)}
"""What callers of a family show, where it is not the key."""
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]
OF_A_ROOM = [found for found in OPERATIONS if found.path.startswith(f"{ROOMS}/") or found.label == f"DELETE {ROOMS}"]


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def _as_text(ctx: schemathesis.SerializationContext, value: object) -> bytes:
    """Descriptions are made up like any other text."""
    return str(value).encode(errors="surrogatepass")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(settings_for(tmp_path_factory.mktemp("data")), IdleMedia) as address:
        yield address


def _cases() -> Iterator[object]:
    """Of what is open to everybody and takes nothing but a name in its path, nothing invalid can be made up."""
    for operation in OPERATIONS:
        takes = operation.definition.raw["security"] or len(operation.body) or len(operation.query)
        for mode in GenerationMode if takes else (GenerationMode.POSITIVE,):
            yield pytest.param(operation, mode, id=f"{operation.label}-{mode.value}")


@pytest.mark.parametrize(("operation", "mode"), list(_cases()))
def test_every_answer_is_documented(server: str, operation: APIOperation, mode: GenerationMode):
    def check(case: schemathesis.Case) -> None:
        response = case.call(base_url=server, headers={"x-vcs-token": KEY, "Authorization": f"Bearer {bearer}"})
        case.validate_response(response, checks=checks)

    fails = "500" in operation.definition.raw["responses"]  # where its contract says so, with these words
    checks = [check for check in CHECKS if not (fails and check is not_a_server_error)]
    bearer = BEARERS.get(next(iter(operation.definition.raw["tags"])), KEY)
    LIMITS(given(operation.as_strategy(generation_mode=mode))(check))()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OF_A_ROOM, ids=lambda operation: operation.label)
def test_every_answer_about_a_room_that_exists_is_documented(
    server: str, operation: APIOperation, mode: GenerationMode
):
    """Made-up ids find nothing: here each request is about a room of its own, for all the rest is made up."""
    headers = {"x-vcs-token": KEY}

    def check(case: schemathesis.Case) -> None:
        room = requests.post(f"{server}{ROOMS}", headers=headers, timeout=10).json()["room"]
        for parameters in (case.path_parameters, case.query):
            if "id" in parameters:
                parameters["id"] = room["id"]
        response = case.call(base_url=server, headers=headers)
        case.validate_response(response, checks=CHECKS)
        succeeded.append(response.status_code == 200)

    succeeded: list[bool] = []
    LIMITS(given(operation.as_strategy(generation_mode=mode))(check))()
    assert mode is GenerationMode.NEGATIVE or all(succeeded)


def test_the_description_of_every_family_is_served(server: str):
    document = describe(EVERYBODY, VERSION)
    assert requests.get(f"{server}/openapi.json", timeout=10).json() == document
