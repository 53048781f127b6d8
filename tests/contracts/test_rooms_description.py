"""The rooms family against its own description: whatever may be sent, no answer is undocumented or a failure.

Requests are made up by schemathesis, about things that never were and about things that are there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given
from schemathesis import GenerationMode
from schemathesis.schemas import APIOperation

from signaling.api.openapi import describe
from signaling.version import VERSION
from tests.support.described import CHECKS, LIMITS, families, serving
from tests.support.team import KEY, Media, team_settings

PREFIXES = ("/rooms", "/guests", "/recordings", "/snapshots", "/webhooks", "/permalink")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(team_settings(tmp_path_factory.mktemp("data")), Media) as address:
        yield address


def _operations() -> list[APIOperation]:
    every = families(team_settings(Path("unused")))
    document = describe([family for family in every if family.name == "rooms"], VERSION)
    return [found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]


OPERATIONS = _operations()


def _cases(operations: list[APIOperation]) -> list[Any]:
    """Valid requests of each; invalid ones where there is something that could be invalid."""
    return [
        pytest.param(each, mode, id=f"{each.label}-{mode.value}")
        for each in operations
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or len(each.body) or len(each.query)
    ]


def test_the_family_has_its_prefixes_to_itself():
    assert all(operation.path.startswith(PREFIXES) for operation in OPERATIONS)


@pytest.mark.parametrize(("operation", "mode"), _cases(OPERATIONS))
def test_every_answer_is_documented(server: str, operation: APIOperation, mode: GenerationMode):
    def check(case: schemathesis.Case) -> None:
        response = case.call(base_url=server, headers={"Authorization": KEY})
        case.validate_response(response, checks=CHECKS)

    LIMITS(given(operation.as_strategy(generation_mode=mode))(check))()


@pytest.mark.parametrize(("operation", "mode"), _cases([each for each in OPERATIONS if "{" in each.path]))
def test_every_answer_about_what_is_there_is_documented(server: str, operation: APIOperation, mode: GenerationMode):
    """Made-up ids find nothing: here the paths are those of a meeting that runs, the rest is made up."""

    def check(case: schemathesis.Case) -> None:
        case.path_parameters |= {name: there[name] for name in case.path_parameters if name in there}
        response = case.call(base_url=server, headers={"Authorization": KEY} if with_key else {})
        case.validate_response(response, checks=CHECKS)

    there = _begin(server)
    with_key = "{access_key}" not in operation.path
    if operation.path == "/rooms/{id}":
        there["id"] = there["room_id"]
    LIMITS(given(operation.as_strategy(generation_mode=mode))(check))()


def _begin(server: str) -> dict[str, str]:
    """The path parameters of a meeting of a permalink."""
    ask = requests.Session()
    ask.headers["Authorization"] = KEY
    body = {"user": {"name": "Ada"}, "options": {"lock_available": True}}
    link = ask.post(f"{server}/permalink", json=body, timeout=10).json()
    token = link["permalink"]["user_token"]
    meeting = ask.post(f"{server}/permalink/{token}", timeout=10).json()
    return {
        "access_key": meeting["access_key"],
        "room_id": meeting["room"]["id"],
        "user_id": meeting["user"]["id"],
        "guest_token": meeting["room"]["guest_token"],
        "permalink_id": link["permalink"]["id"],
        "user_token": token,
        "id": token,
    }
