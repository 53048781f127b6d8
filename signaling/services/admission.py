"""Which family a credential is of, and what it opens: each door is asked in turn."""

from collections.abc import Sequence

from signaling.services.doors import Credential, Door, Pass
from signaling.services.errors import Forbidden, NotFound, Refused

MAX_ID = 128  # characters; no conference has a longer one


class Admission:
    """`doors` know their own credentials at a glance: no two take the same one for theirs."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self._doors = doors

    async def admit(self, credential: Credential) -> Pass:
        """What the credential opens; the services' errors say why it opens nothing, or not the conference `at`."""
        for door in self._doors:
            if admitted := await door.admit(credential):
                if credential.at not in (None, admitted.venue.id):
                    raise Forbidden("The credential is for another conference.")
                return admitted
        raise Refused(credential.text)

    async def check_exists(self, conference_id: str) -> None:
        """Raises NotFound if there is no such conference, for anybody who asks."""
        if len(conference_id) > MAX_ID or not (conference_id.isascii() and conference_id.isprintable()):
            raise NotFound("conference", "with this id")
        for door in self._doors:
            if await door.exists(conference_id):
                return
        raise NotFound("conference", conference_id)

    def door(self, family: str) -> Door:
        return next(door for door in self._doors if door.family == family)
