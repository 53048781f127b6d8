"""What a caller can do wrong, once for all API families.

Each family and `/rt` render these in their own format; nothing here knows a status code or a close code of theirs.

ServiceError
  Unauthorized        no credential was given
  Refused             the credential is unknown, expired or not meant for this
    Forbidden         it is known, but does not allow this
  NotFound            nothing with this id
    Removed           there was, but it has been removed
    UnknownPath       no such address
  WrongMethod         the address exists, the method does not
  Gone                the meeting is over, the credential used up
  Conflict            against what is there already
    Full              no seat is left
  Locked              the meeting lets nobody in
  SwitchedOff         an option of the meeting says no
  NotNow              it would do at another time
  Invalid             something about the request cannot be used
    BadBody           it is not what its type says
    BadMediaType      its type is not read here
    FetchRefused      a URL that the server will not or cannot use
    Missing, BadValue, TextTooLong, OutOfRange, BadPagingToken     one parameter
  TooLarge            more than is read
  TooMany             faster than is allowed
  Unavailable         something that is needed is away for now
"""


class ServiceError(Exception):
    """A caller asked for something that cannot be done; `str()` says why in a sentence for that caller."""


class Unauthorized(ServiceError):
    def __init__(self, text: str = "Authorization missing.") -> None:
        super().__init__(text)


class Refused(ServiceError):
    """The credential is unknown, expired or of another kind. `credential` is what was sent: never log it whole."""

    def __init__(self, credential: str = "", text: str = "The credential is unknown or has expired.") -> None:
        super().__init__(text)
        self.credential = credential


class Forbidden(Refused):
    def __init__(self, text: str = "This is not allowed.") -> None:
        super().__init__(text=text)


class NotFound(ServiceError):
    """`kind` and `id` name what was looked for."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"There is no {kind} {id}.")
        self.kind = kind
        self.id = id


class Removed(NotFound):
    """It has been there; who still holds a credential for it learns so."""


class UnknownPath(NotFound):
    def __init__(self) -> None:
        super().__init__("resource", "at this path")


class WrongMethod(ServiceError):
    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"This address takes {', '.join(allowed)}.")
        self.allowed = allowed


class Gone(ServiceError):
    def __init__(self, text: str = "The meeting has ended.") -> None:
        super().__init__(text)


class Conflict(ServiceError):
    pass


class Full(Conflict):
    def __init__(self, limit: int) -> None:
        super().__init__(f"All {limit} seats are taken.")
        self.limit = limit


class Locked(ServiceError):
    def __init__(self, text: str = "The meeting is locked.") -> None:
        super().__init__(text)


class SwitchedOff(ServiceError):
    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is switched off in this meeting.")


class NotNow(ServiceError):
    pass


class Invalid(ServiceError):
    pass


class BadBody(Invalid):
    def __init__(self, text: str = "The body is not a JSON object.") -> None:
        super().__init__(text)


class BadMediaType(Invalid):
    def __init__(self, text: str = "The content type is not supported.") -> None:
        super().__init__(text)


class FetchRefused(Invalid):
    """A URL of the caller's that the server will not use, or where it does not find what it should."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The URL cannot be used: {why}.")
        self.why = why


class BadParameter(Invalid):
    def __init__(self, parameter: str, text: str) -> None:
        super().__init__(f"{parameter} {text}.")
        self.parameter = parameter


class Missing(BadParameter):
    def __init__(self, parameter: str) -> None:
        super().__init__(parameter, "is missing")


class BadValue(BadParameter):
    def __init__(self, parameter: str) -> None:
        super().__init__(parameter, "has a value that cannot be used")


class TextTooLong(BadParameter):
    def __init__(self, parameter: str, limit: int) -> None:
        super().__init__(parameter, f"is longer than {limit} characters")
        self.limit = limit


class OutOfRange(BadParameter):
    def __init__(self, parameter: str, low: int, high: int) -> None:
        super().__init__(parameter, f"is not an integer from {low} to {high}")
        self.low = low
        self.high = high


class BadPagingToken(BadParameter):
    def __init__(self, value: str) -> None:
        super().__init__("token", "was not issued by this server")
        self.value = value


class TooLarge(ServiceError):
    def __init__(self, text: str = "The request body is too large.") -> None:
        super().__init__(text)


class TooMany(ServiceError):
    def __init__(self, text: str = "Too many requests.") -> None:
        super().__init__(text)


class Unavailable(ServiceError):
    """Nobody's mistake; it may work later."""
