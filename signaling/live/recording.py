"""Recording, as those inside a conference ask for it: begun and stopped by the rules of the conference's family.

Handlers for the table in `messages.py`. Everybody hears of it by `recording_update`.
"""

from typing import Protocol

from signaling.live.caller import Caller
from signaling.live.protocol import Message
from signaling.services.errors import SwitchedOff
from signaling.services.meeting import Meeting
from signaling.services.members import Member


class MembersRecording(Protocol):
    """A family that lets members record. Errors are the services'."""

    family: str

    async def begin(self, meeting: Meeting, member: Member) -> None:
        """From now on the conference is recorded."""

    async def end(self, meeting: Meeting) -> None:
        """The recording that runs is over."""


async def start(caller: Caller, _message: Message) -> None:
    await _family(caller).begin(caller.meeting, caller.member)


async def stop(caller: Caller, _message: Message) -> None:
    await _family(caller).end(caller.meeting)


def _family(caller: Caller) -> MembersRecording:
    caller.meeting.check_readable("recording")
    found = next((each for each in caller.recording if each.family == caller.meeting.family), None)
    if found is None:
        raise SwitchedOff("Recording")
    return found
