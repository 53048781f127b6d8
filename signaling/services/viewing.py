"""What each participant of a meeting is shown: everybody's streams, or all in one picture.

Decides by what they wish and, for those who leave it open, by the meeting's `sfu_mode`. The common picture is drawn as
long as somebody is shown it. Rooms contract, section 2.3.
"""

from typing import Any

from mediaserver import MediaEvent, View
from signaling.services.composites import Composites
from signaling.services.meeting import Meeting
from signaling.services.members import Member
from signaling.services.members import View as Wish

NEED = "one_view"
FEW = 2  # online at most: these see each other's streams where nothing else is said


def view_of(wish: Wish, sfu_mode: str | None, online: int) -> View:
    """`sfu_mode` None: the meeting has none, whoever leaves it open gets streams."""
    together = View.WITH_SCREENS if sfu_mode == "screencast" else View.COMPOSITE
    if wish == "auto":
        few = sfu_mode == "ptp" and online <= FEW
        return View.STREAMS if sfu_mode is None or few else together
    return together if wish == "one_view" else View.STREAMS


class Viewing:
    """A watch of conferences; `viewed` is to be called when somebody wishes something else."""

    def __init__(self, composites: Composites) -> None:
        self._composites = composites
        self._shown: dict[str, dict[str, View]] = {}
        """By meeting in which somebody is shown the common picture, and by participant."""

    def viewed(self, meeting: Meeting) -> None:
        """Sees to it that everybody is shown what they should be."""
        if meeting.media is None or meeting.venue.e2ee:
            return
        views = {member.id: self._view(meeting, member) for member in meeting.members.values() if member.media}
        together = any(view is not View.STREAMS for view in views.values())
        before = self._shown.get(meeting.id, {})
        if together and not before:
            self._composites.need(meeting, NEED, back=True)
        for member_id, view in views.items():
            if before.get(member_id, View.STREAMS) is not view:
                meeting.media.see(member_id, view)
        if together:
            self._shown[meeting.id] = views
        elif before:
            del self._shown[meeting.id]
            self._composites.release(meeting.id, NEED)

    # what the conferences tell

    def came(self, meeting: Meeting, member: Member) -> None:
        self.viewed(meeting)

    def went(self, meeting: Meeting, member: Member, reason: str) -> None:
        self.viewed(meeting)

    def heard(self, meeting: Meeting, event: MediaEvent) -> None:
        pass

    def ending(self, meeting: Meeting, reason: str) -> None:
        self._shown.pop(meeting.id, None)

    def ended(self, meeting: Meeting, reason: str) -> None:
        pass

    def _view(self, meeting: Meeting, member: Member) -> View:
        mode: Any = meeting.venue.options.get("sfu_mode")
        return View.STREAMS if member.by_http else view_of(member.view, mode, len(meeting.members))
