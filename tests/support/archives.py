"""Sessions that are recorded: somebody in them who can send something, and what becomes of the archive."""

from pathlib import Path
from types import TracebackType
from typing import Any

from mediaserver import StreamDescription
from signaling.appkeys import ARCHIVES, MEDIA, RECORDINGS, SESSIONS
from signaling.store.sessions import SessionRecord
from tests.support.api_server import Api, api_server, settings_for, web_token
from tests.support.clock import MovableClock
from tests.support.fake_media import FakeConference, FakeRecording
from tests.support.sessions import ListeningMedia, Visit, ask, new_token

BASE = "https://meet.example"
TARGET = "/archives/storage-target"
CONTENT = bytes(range(256)) * 40_000  # more than one part
STREAM = "11111111-2222-4333-8444-555555555555"


def archiving(directory: Path, clock: MovableClock, **archives: Any) -> Any:
    """A whole server; `fetch` is the section of the settings, the others are of archives."""
    fetch = archives.pop("fetch", {"allow_private_addresses": True})
    settings = settings_for(directory, public_base_url=BASE, fetch=fetch, archives=archives)
    return api_server(settings, clock, media=ListeningMedia)


class Meeting:
    """A session with somebody in it, who can send something; and what is recorded of it."""

    def __init__(self, api: Api, link: str, issued: dict[str, Any]) -> None:
        self.api, self.link, self.id = api, link, issued["sessionId"]
        self._recorded: list[FakeRecording] = []
        self._visit = Visit(api, issued["token"], id="ada")

    async def __aenter__(self) -> "Meeting":
        self.visit = await self._visit.__aenter__()
        await self.visit.join()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._visit.__aexit__(kind, error, trace)

    @property
    def conference(self) -> FakeConference:
        return self.api.client.app[MEDIA].conference(self.id)

    @property
    def recordings(self) -> list[FakeRecording]:
        return self.conference.recordings

    @property
    def recordings_path(self) -> Path:
        """Where its file is until it is kept somewhere."""
        return self._recorded[-1].path

    async def send(self) -> None:
        self.conference.participant("ada").negotiate("sdp", [StreamDescription(STREAM, "camera", "ada", "0", "1")])
        await self.api.client.app[ARCHIVES].settled()

    async def fall_silent(self) -> None:
        self.conference.participant("ada").unpublish(STREAM)
        await self.api.client.app[ARCHIVES].settled()

    async def session(self) -> SessionRecord:
        found = await self.api.client.app[SESSIONS].by_session_id(self.id)
        assert found
        return found

    async def begin(self, **body: Any) -> dict[str, Any]:
        status, told = await ask(self.api, "POST", f"/session/{self.link}/archive", json=body)
        assert status == 200, told
        return told

    async def stop(self) -> dict[str, Any]:
        status, told = await ask(self.api, "DELETE", f"/session/{self.link}/archive")
        assert status == 200, told
        return told

    async def finished(self, **rest: Any) -> None:
        """The media plane has closed the file, and everything that follows has happened."""
        self._recorded = list(self.recordings)
        self.recordings[-1].close(**rest)
        await self.api.client.app[RECORDINGS].aclose()


async def meeting(api: Api, bearer: str | None = None, **session: Any) -> Meeting:
    status, made = await ask(api, "POST", "/session", bearer=bearer, json=session)
    assert status == 200, made
    return Meeting(api, made["code"], await new_token(api, made["code"], role="moderator"))


async def look(api: Api, archive_id: str) -> dict[str, Any]:
    status, told = await ask(api, "GET", f"/archives/{archive_id}")
    assert status == 200, told
    return told


async def status_of(api: Api, archive_id: str) -> str:
    return (await look(api, archive_id))["metaData"]["status"]


async def set_target(api: Api, bearer: str | None = None, **target: Any) -> None:
    response = await api.send(
        "PUT", TARGET, key=None, headers={"Authorization": f"Bearer {bearer or web_token()}"}, json=target
    )
    assert (response.status, await response.text()) == (200, "null")


async def archived(api: Api, bearer: str | None = None, content: bytes = CONTENT) -> tuple[Meeting, str]:
    """A session, and its archive after the first try to store it."""
    held = await meeting(api, bearer=bearer)
    async with held:
        archive_id = (await held.begin())["metaData"]["id"]
        await held.stop()
        await held.finished(content=content)
    return held, archive_id


async def swept(api: Api) -> None:
    await api.client.app[RECORDINGS].sweep()
    await api.client.app[RECORDINGS].aclose()


async def told(api: Api, archive_id: str) -> tuple[str, str | None]:
    """Its status and the reason."""
    metadata = (await look(api, archive_id))["metaData"]
    assert (metadata["url"] is not None) == (metadata["status"] == "available")
    return metadata["status"], metadata["reason"]
