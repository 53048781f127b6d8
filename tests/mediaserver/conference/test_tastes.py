"""What is worth a slot: as wished, in order, and only what the client can decode."""

import pytest

from mediaserver.conference.stream import Kind, Stream, Track
from mediaserver.conference.tastes import MAX_WISHES, Tastes
from mediaserver.conference.wishes import Wish
from mediaserver.rtp.codecs import CodecId
from mediaserver.transport.negotiation import PublishedSection
from tests.support.fake_transport import FakeSource

CODECS: dict[Kind, CodecId] = {"audio": CodecId.OPUS, "video": CodecId.VP8}


def stream(stream_id: str, *kinds: Kind, **codecs: CodecId) -> Stream:
    found = Stream(stream_id, f"{stream_id}'s", "camera")
    for kind in kinds:
        codec = codecs.get(kind, CODECS[kind])
        section = PublishedSection("0", kind, codec, 96, 90_000, {}, (), (), (), {}, True, True, True, True)
        found.tracks[kind] = Track(section, FakeSource(kind))  # type: ignore[arg-type]
    return found


ADA, BOB = stream("ada", "audio", "video"), stream("bob", "video", "audio")


@pytest.mark.parametrize(
    ("default", "wishes", "wanted"),
    [
        pytest.param(Wish(), {}, "ada-audio bob-audio ada-video bob-video", id="sound first"),
        pytest.param(Wish(video=False), {}, "ada-audio bob-audio", id="sound only"),
        pytest.param(
            Wish(), {"bob": Wish(priority=9)}, "bob-audio ada-audio bob-video ada-video", id="by priority within a kind"
        ),
        pytest.param(Wish(False, False), {"bob": Wish()}, "bob-audio bob-video", id="somebody, and nobody else"),
    ],
)
def test_tracks_are_wanted_in_order(default: Wish, wishes: dict[str, Wish], wanted: str) -> None:
    tastes = Tastes()
    tastes.want(default, wishes)
    assert [f"{stream_id}-{kind}" for stream_id, kind in tastes.wanted([ADA, BOB])] == wanted.split()


def test_as_long_as_nothing_is_known_everything_is_thought_to_be_decoded() -> None:
    assert Tastes().decodes(ADA.tracks["video"])


def test_what_cannot_be_decoded_is_told_once_and_again_only_to_a_new_client() -> None:
    tastes, rare = Tastes(), stream("eve", "video", video=CodecId.AV1)
    tastes.learn("video", [CodecId.VP8])
    assert list(tastes.refusals([ADA, rare])) == [(rare, CodecId.AV1)]
    assert list(tastes.refusals([ADA, rare])) == []
    assert tastes.wanted([rare]) == []
    tastes.unlearn()
    tastes.learn("video", [CodecId.VP9])
    assert [codec for _, codec in tastes.refusals([ADA, rare])] == [CodecId.VP8, CodecId.AV1]


def test_wishes_are_bounded() -> None:
    tastes = Tastes()
    tastes.want(Wish(), {f"{number}": Wish(priority=1) for number in range(MAX_WISHES + 1)})
    assert tastes.wish(stream(f"{MAX_WISHES - 1}")).priority == 1
    assert tastes.wish(stream(f"{MAX_WISHES}")).priority is None
