"""Which close code each error of the services becomes."""

import pytest

from mediaserver import BadDescription, ConferenceFull, NoSuchStream, PublishForbidden, StreamExists
from signaling.live.refusals import refused, told
from signaling.services import errors
from signaling.services.conferences import ShuttingDown
from signaling.services.entrance import AlreadyOnline


@pytest.mark.parametrize(
    ("error", "close_code", "name"),
    [
        (errors.Unauthorized(), 4401, "no_credential"),
        (errors.Refused("secret"), 4403, "forbidden"),
        (errors.Forbidden(), 4403, "forbidden"),
        (errors.NotFound("room", "RO-1"), 4404, "not_found"),
        (errors.Removed("room", "RO-1"), 4404, "not_found"),
        (errors.NotFound("participant", "x"), 4404, "no_such_participant"),
        (errors.Full(4), 4409, "room_full"),
        (AlreadyOnline("anna"), 4409, "already_online"),
        (errors.Conflict("no"), 4409, "conflict"),
        (errors.Gone(), 4410, "ended"),
        (errors.TooLarge(), 4413, "message_too_long"),
        (errors.Locked(), 4423, "locked"),
        (errors.TooMany(), 4429, "too_many_messages"),
        (ShuttingDown(), 4500, "server_shutdown"),
        (errors.ServiceError("?"), 4500, "server_failure"),
        (ConferenceFull("c", 1), 4409, "room_full"),
    ],
)
def test_a_refusal_has_the_code_of_the_table(error, close_code, name):
    refusal = refused(error)
    assert (refusal.close_code, refusal.name) == (close_code, name)


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (BadDescription("x"), 400, "bad_sdp"),
        (PublishForbidden("x"), 403, "forbidden"),
        (StreamExists("x"), 409, "stream_exists"),
        (NoSuchStream("x"), 404, "no_such_stream"),
    ],
)
def test_errors_of_the_media_plane_have_names_of_their_own(error, code, name):
    assert (told(error).code, told(error).name) == (code, name)


def test_no_credential_is_told_back():
    assert "secret" not in refused(errors.Refused("secret")).message
