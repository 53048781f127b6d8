"""Who sends what in a MESH conference, as descriptions go back and forth."""

import pytest

from mediaserver import BadDescription, StreamDescription, StreamExists
from signaling.services.mesh import CANDIDATES, MAX_MUTED, Mesh


def camera(stream_id="cam", *, audio=True, video=True):
    return StreamDescription(stream_id, "camera", "", "0" if audio else None, "1" if video else None)


def screen(stream_id="scr"):
    return StreamDescription(stream_id, "screen", "", None, "2")


def ids(mesh):
    return [stream.stream_id for stream in mesh.streams()]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param([("b", [camera()])], ["cam"], id="one pair carries it"),
        pytest.param([("b", [camera()]), ("c", [])], ["cam"], id="another pair does not yet"),
        pytest.param([("b", [camera()]), ("b", [])], [], id="it is left out"),
        pytest.param([("b", [camera()]), ("c", [camera()]), ("b", [])], ["cam"], id="left out of one pair"),
        pytest.param([("b", [camera()]), ("c", [camera()]), ("b", []), ("c", [])], [], id="left out of both"),
        pytest.param([("b", [camera(), screen()]), ("b", [camera()])], ["cam"], id="the screen ends"),
        pytest.param([("b", [camera()]), ("c", [camera("new")])], ["new"], id="the newest camera counts"),
        pytest.param([("b", [camera()]), ("c", [camera("new")]), ("c", [])], [], id="and the old one stays away"),
        pytest.param([("b", [camera(), screen()]), ("c", [camera("new")])], ["scr", "new"], id="the screen stays"),
    ],
)
def test_a_stream_is_there_as_long_as_a_pair_carries_it(said, left):
    mesh = Mesh()
    for receiver, streams in said:
        mesh.described("offer", "a", receiver, streams)
    assert ids(mesh) == left


def test_the_newest_description_says_what_a_stream_has():
    mesh = Mesh()
    mesh.described("offer", "a", "b", [camera(video=False)])
    mesh.described("offer", "a", "b", [camera()])
    assert [(stream.audio, stream.video) for stream in mesh.streams()] == [(True, True)]


def test_who_is_left_alone_keeps_streams_until_the_next_description():
    mesh = Mesh()
    mesh.described("offer", "a", "b", [camera(), screen()])
    mesh.described("answer", "b", "a", [camera("other")])
    mesh.left("b")
    assert ids(mesh) == ["cam", "scr"]
    mesh.described("answer", "a", "c", [camera()])
    assert ids(mesh) == ["cam"]


def test_a_closed_pair_carries_nothing():
    mesh = Mesh()
    mesh.described("offer", "a", "b", [camera(), screen()])
    mesh.described("offer", "a", "c", [camera()])
    mesh.parted("b", "a")
    assert ids(mesh) == ["cam", "scr"]
    mesh.described("offer", "a", "c", [camera()])
    assert ids(mesh) == ["cam"]


def test_an_ended_stream_is_over_in_all_pairs():
    mesh = Mesh()
    for receiver in "bc":
        mesh.described("offer", "a", receiver, [camera(), screen()])
    assert mesh.ended("a", "scr")
    assert not mesh.ended("a", "scr")
    assert not mesh.ended("b", "cam")
    assert (ids(mesh), mesh.owner("cam"), mesh.owner("scr")) == (["cam"], "a", None)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ([camera(), camera()], BadDescription),
        ([camera(), camera("new")], StreamExists),
        ([camera("other")], BadDescription),
    ],
)
def test_a_description_with_bad_streams_changes_nothing(said, error):
    mesh = Mesh()
    mesh.described("offer", "a", "b", [screen()])
    mesh.described("answer", "b", "a", [camera("other")])
    with pytest.raises(error):
        mesh.described("offer", "a", "b", said)
    assert ids(mesh) == ["scr", "other"]


def test_muting_changes_what_is_named_and_is_told_when_it_changes_something():
    mesh = Mesh()
    mesh.described("offer", "a", "b", [camera()])
    changed = mesh.mute("a", "cam", audio=True, video=None)
    assert changed is not None
    assert (changed.audio_muted, changed.video_muted) == (True, False)
    assert mesh.mute("a", "cam", audio=True, video=False) is None
    assert mesh.streams() == [changed]
    mesh.described("offer", "a", "b", [camera()])
    assert mesh.streams() == [changed]


def test_what_is_muted_before_anybody_knows_it_is_told_with_its_first_description():
    mesh = Mesh()
    assert mesh.mute("a", "cam", audio=True, video=None) is None
    news = mesh.described("answer", "a", "b", [camera(), screen()])
    assert [(stream.stream_id, stream.audio_muted) for stream in news] == [("cam", True)]
    assert mesh.described("answer", "a", "c", [camera(), screen()]) == []


def test_the_mute_states_that_are_remembered_are_bounded():
    mesh = Mesh()
    for number in range(MAX_MUTED + 1):
        mesh.mute("a", f"cam{number}", audio=True, video=None)
    assert mesh.described("offer", "a", "b", [camera("cam0")]) == []
    assert mesh.described("offer", "a", "c", [camera("cam1")])


def test_each_offer_asks_for_one_answer_and_each_description_brings_candidates():
    mesh = Mesh()
    assert not mesh.expected("answer", "b", "a")
    assert not mesh.expected("candidate", "a", "b")
    mesh.described("offer", "a", "b", [])
    assert not mesh.expected("offer", "a", "b")
    assert not mesh.expected("answer", "a", "b")
    assert [mesh.expected("answer", "b", "a") for _ in range(2)] == [True, False]
    assert [mesh.expected("candidate", "a", "b") for _ in range(CANDIDATES + 1)] == [True] * CANDIDATES + [False]
    assert not mesh.expected("candidate", "a", "c")
    mesh.described("offer", "a", "b", [])
    mesh.parted("a", "b")
    assert not mesh.expected("answer", "b", "a")
