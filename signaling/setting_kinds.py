"""The kinds of values that settings have: what may be written for each, and in which bounds."""

import ipaddress
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

YEAR = 366 * 86400  # seconds


def _a_number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def between(low: float, high: float) -> AfterValidator:
    def check(value: float) -> float:
        if not low <= value <= high:
            raise ValueError(f"must be between {low} and {high}")
        return value

    return AfterValidator(check)


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError("must be an IPv4 or IPv6 address") from None


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname is not None and not parts.query
        parts.port  # noqa: B018 - raises if it is none
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must be a URL such as https://meet.example.org")
    return value.rstrip("/")


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


Number = BeforeValidator(_a_number)
Port = Annotated[int, Number, between(0, 65535)]
Seconds = Annotated[float, Number, between(0, YEAR)]
WholeSeconds = Annotated[int, Number, between(1, 100 * YEAR)]
Days = Annotated[int, Number, between(0, 36_500)]
Count = Annotated[int, Number, between(1, 10_000)]
Bytes = Annotated[int, Number, between(1, 1 << 40)]
Address = Annotated[str, AfterValidator(_address)]
Text = Annotated[str, AfterValidator(_not_empty)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
