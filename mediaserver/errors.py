"""The errors a caller of the media plane can get.

MediaError
  NoSuchConference, NoSuchParticipant, NoSuchStream
  ConferenceFull, ConferenceClosed
  StreamExists      a second camera or screen of one participant
  ParticipantExists a second participant with the same id
  BadDescription    a session description that cannot be used (also: BadCandidate, PublishForbidden, UnfitDescription)
MalformedPacket     a stranger's bytes; parsers raise it, whoever reads the network counts it and goes on
"""


class MediaError(Exception):
    """Something the caller asked for cannot be done; the text says why."""


class NoSuchConference(MediaError):
    """No conference with this id is open."""


class NoSuchParticipant(MediaError):
    """Nobody with this id is in the conference."""


class NoSuchStream(MediaError):
    """This participant publishes no stream with this id."""


class ConferenceFull(MediaError):
    """Nobody can join until someone leaves."""

    def __init__(self, conference: str, limit: int) -> None:
        super().__init__(f"conference {conference} already has its {limit} participants")


class ConferenceClosed(MediaError):
    """The conference has ended."""


class StreamExists(MediaError):
    """The participant has a stream with this label already."""


class ParticipantExists(MediaError):
    """Somebody with this id is in the conference already."""


class BadDescription(MediaError):
    """A session description cannot be used; nothing was changed."""


class BadCandidate(BadDescription):
    """A candidate cannot be read."""


class PublishForbidden(BadDescription):
    """An offer with streams from a participant who may not publish."""


class UnfitDescription(BadDescription):
    """It can be read, but what it says cannot be agreed to; nothing was changed."""


class MalformedPacket(Exception):
    """Bytes from the network that do not follow their format."""
