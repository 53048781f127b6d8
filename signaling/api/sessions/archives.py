"""Archives of sessions, and where they go once they are finished. Sessions contract, sections 9 and 10."""

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, RootModel, StrictStr

from signaling.api import Operation, json_response
from signaling.api.bodies import integer, json_object, query, text
from signaling.api.sessions import CLAIMS, permitted
from signaling.api.sessions.bodies import MAX_NAME, read
from signaling.appkeys import ARCHIVES, STORAGE_TARGETS
from signaling.services.archives import FAMILY
from signaling.services.storage_plans import Wanted

MAX_LIMIT = 1000
MAX_OFFSET = 1_000_000_000
MAX_TEXT = 1024  # characters of a credential or the like

_LINK = {"meetingLinkId": "The session's meeting link"}
_ID = {"archiveId": "From the list, or from who has begun it"}
_Text = text(MAX_TEXT)


class ListQuery(BaseModel):
    offset: integer(0, MAX_OFFSET) = 0  # type: ignore[valid-type]
    limit: integer(1, MAX_LIMIT) = MAX_LIMIT  # type: ignore[valid-type]


class ArchiveBody(BaseModel):
    name: text(MAX_NAME) | None = None  # type: ignore[valid-type]


class TargetBody(BaseModel):
    """`region`, `bucket`, `endpoint`, `accessKey` and `secretKey` are of AWSS3, the others of AZURE."""

    name: Annotated[StrictStr | None, Field(description="AWSS3 or AZURE")] = None
    region: _Text | None = None  # type: ignore[valid-type]
    bucket: _Text | None = None  # type: ignore[valid-type]
    endpoint: _Text | None = None  # type: ignore[valid-type]
    accessKey: _Text | None = None  # type: ignore[valid-type]
    secretKey: _Text | None = None  # type: ignore[valid-type]
    accountName: _Text | None = None  # type: ignore[valid-type]
    domain: _Text | None = None  # type: ignore[valid-type]
    container: _Text | None = None  # type: ignore[valid-type]
    accountKey: _Text | None = None  # type: ignore[valid-type]
    fallback: Annotated[
        Literal["none", "opentok"] | None,
        Field(description="What becomes of a file that the store does not take: it is lost, or kept on this server"),
    ] = None


class ArchiveMetadata(BaseModel):
    id: str
    name: str | None = None
    sessionId: str
    projectId: str
    status: Literal["started", "paused", "stopped", "available", "uploaded", "expired", "failed"]
    createdAt: Annotated[int, Field(description="Unix milliseconds")]
    duration: Annotated[int, Field(description="Seconds")]
    size: Annotated[int, Field(description="Bytes")]
    reason: str | None
    hasAudio: bool
    hasVideo: bool
    outputMode: Literal["composed"]
    resolution: str
    url: Annotated[str | None, Field(description="Opens the file for an hour, while the archive is available")]


class Archive(BaseModel):
    model_config = ConfigDict(title="SessionArchive")

    name: str | None = None
    sessionId: str
    metaData: ArchiveMetadata


class ArchiveList(BaseModel):
    model_config = ConfigDict(title="SessionArchives")

    count: Annotated[int, Field(description="Of all there are")]
    items: Annotated[list[Archive], Field(description="Newest first")]


class Nothing(RootModel[None]):
    """It is done."""


async def list_archives(request: web.Request) -> web.Response:
    wanted = read(ListQuery, query(request))
    count, items = await request.app[ARCHIVES].list(request[CLAIMS], offset=wanted.offset, limit=wanted.limit)
    return json_response({"count": count, "items": items})


async def fetch_archive(request: web.Request) -> web.Response:
    return json_response(await request.app[ARCHIVES].fetch(request[CLAIMS], request.match_info["archiveId"]))


async def delete_archive(request: web.Request) -> web.Response:
    await request.app[ARCHIVES].delete(request[CLAIMS], request.match_info["archiveId"])
    return json_response(None)


async def start_archive(request: web.Request) -> web.Response:
    wanted = read(ArchiveBody, await json_object(request))
    link = request.match_info["meetingLinkId"]
    return json_response(await request.app[ARCHIVES].start(request[CLAIMS], link, wanted.name))


async def stop_archive(request: web.Request) -> web.Response:
    return json_response(await request.app[ARCHIVES].stop(request[CLAIMS], request.match_info["meetingLinkId"]))


async def set_storage_target(request: web.Request) -> web.Response:
    body = read(TargetBody, await json_object(request))
    wanted = Wanted(
        name=body.name,
        region=body.region,
        bucket=body.bucket,
        endpoint=body.endpoint,
        access_key=body.accessKey,
        secret_key=body.secretKey,
        account_name=body.accountName,
        domain=body.domain,
        container=body.container,
        account_key=body.accountKey,
        fallback=body.fallback,
    )
    await request.app[STORAGE_TARGETS].set(FAMILY, request[CLAIMS].tenant or "", wanted)
    return json_response(None)


_TOO_LARGE = {413: "The body is over 1 MiB", 422: "A field is of the wrong type"}
ARCHIVE_OPERATIONS = (
    Operation(
        "GET",
        "/archives",
        permitted("GetMeetingArchives", list_archives),
        summary="List archives, newest first",
        query=ListQuery,
        answer=ArchiveList,
        errors={422: "A parameter is no whole number, or out of range"},
    ),
    Operation(
        "PUT",
        "/archives/storage-target",
        permitted("SetMeetingUploadTarget", set_storage_target),
        summary="Say to which store archives go that are finished from now on",
        body=TargetBody,
        answer=Nothing,
        errors={400: "It is none that can be used", 500: "There are no credentials for it"} | _TOO_LARGE,
    ),
    Operation(
        "GET",
        "/archives/{archiveId}",
        permitted("GetMeetingArchives", fetch_archive),
        summary="Look at an archive",
        path_parameters=_ID,
        answer=Archive,
        errors={404: "There is no such archive"},
    ),
    Operation(
        "DELETE",
        "/archives/{archiveId}",
        permitted("DeleteMeetingArchive", delete_archive),
        summary="Delete an archive",
        path_parameters=_ID,
        answer=Nothing,
        errors={404: "There is no such archive", 409: "It is still being recorded"},
    ),
    Operation(
        "POST",
        "/session/{meetingLinkId}/archive",
        permitted("StartMeetingArchive", start_archive),
        summary="Begin an archive of a session that runs",
        path_parameters=_LINK,
        body=ArchiveBody,
        answer=Archive,
        errors={
            400: "The session is encrypted from end to end",
            404: "There is no such session",
            409: "An archive is being recorded, or nobody is connected",
            **_TOO_LARGE,
        },
    ),
    Operation(
        "DELETE",
        "/session/{meetingLinkId}/archive",
        permitted("StopMeetingArchive", stop_archive),
        summary="Stop the archive that is being recorded",
        path_parameters=_LINK,
        answer=Archive,
        errors={404: "There is no such session", 409: "None is being recorded"},
    ),
)
