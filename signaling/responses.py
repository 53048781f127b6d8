"""What is answered to a request of ours: where it sends us, what it says it is, and its body within bounds."""

from collections.abc import AsyncIterator, Collection

from aiohttp import ClientResponse, hdrs
from yarl import URL

from signaling.services.errors import FetchRefused

CHUNK = 1 << 18  # bytes of a body at once


def next_place(response: ClientResponse) -> str:
    place = response.headers.get(hdrs.LOCATION)
    if not place:
        raise FetchRefused("it was redirected to nowhere")
    return str(response.url.join(url_of(place)))


def url_of(text: str) -> URL:
    try:
        return URL(text)
    except ValueError:
        raise FetchRefused("it is no URL") from None


def media_type_of(response: ClientResponse, accept: Collection[str]) -> str:
    """What the answer says it is, without parameters; empty if it does not say."""
    media_type = response.content_type if hdrs.CONTENT_TYPE in response.headers else ""
    kinds = (media_type, f"{media_type.partition('/')[0]}/*")
    if accept and not any(kind in accept for kind in kinds):
        raise FetchRefused(f"what is there is none of {', '.join(accept)}")
    return media_type


async def chunks_of(response: ClientResponse, limit: int) -> AsyncIterator[bytes]:
    """The body, decompressed piece by piece; FetchRefused once it is longer than `limit` bytes."""
    size = 0
    if (response.content_length or 0) > limit:
        raise _too_large(limit)
    async for chunk in response.content.iter_chunked(CHUNK):
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> FetchRefused:
    return FetchRefused(f"what is there is larger than {limit} bytes")
