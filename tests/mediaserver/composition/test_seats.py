"""Who sits where: pinned, by turn, by voice, beside a presentation."""

import pytest

from mediaserver.composition.layouts import BadLayout, Box, named
from mediaserver.composition.seats import STAY, Playing, Seats, Wish, podium, wish_of


def seats_of(people: str, wish: Wish | None = None) -> Seats:
    seats = Seats(wish=wish or Wish())
    for user in people:
        seats.came(user)
    return seats


def placed(seats: Seats, boxes: tuple[Box, ...], now: float = 0.0) -> str:
    """Who is in each box: a letter, "." for an empty one."""
    found = {
        (seat.box.left, seat.box.top): "P" if seat.presentation else seat.user_id or seat.play_id
        for seat in seats.arrange(now)
    }
    return "".join(found.pop((box.left, box.top), ".") for box in boxes) + "".join(f" {place}" for place in found)


@pytest.mark.parametrize(
    ("people", "name", "shown"),
    [
        ("", "one", "."),
        ("a", "one", "a"),
        ("ab", "two", "ab"),
        ("abc", "four", "abc."),
        ("abcde", "six", "abcde."),
        ("abcdefghijk", "nine", "abcdefghi"),
    ],
)
def test_everybody_is_tiled_in_the_order_of_coming(people: str, name: str, shown: str) -> None:
    assert placed(seats_of(people), named(name)) == shown


def test_people_keep_their_places_as_long_as_the_boxes_stay() -> None:
    seats = seats_of("abcd")
    placed(seats, named("four"))
    seats.went("b")
    assert placed(seats, named("four")) == "a.cd"
    seats.came("e")
    assert placed(seats, named("four")) == "aecd"
    seats.came("f")
    assert placed(seats, named("six")) == "aecdf."


@pytest.mark.parametrize(
    ("users", "fill", "shown"),
    [
        pytest.param(("b", "", "a", ""), False, "b.a.", id="custom leaves free boxes empty"),
        pytest.param(("b", "", "a", ""), True, "bcad", id="auto fills them"),
        pytest.param(("b",), True, "bacd", id="boxes beyond the list are free"),
        pytest.param(("_placeholder", "a"), True, ".abc", id="an unknown value keeps its box empty"),
        pytest.param(("a", "a"), False, "aa..", id="twice is twice"),
        pytest.param(("a", "b", "c", "d", "e"), False, "abcd", id="more users than boxes"),
    ],
)
def test_users_are_pinned_to_their_boxes(users: tuple[str, ...], fill: bool, shown: str) -> None:
    assert placed(seats_of("abcd", Wish(fill, "four", users=users)), named("four")) == shown


def test_a_pinned_user_who_is_away_finds_the_box_empty() -> None:
    seats = seats_of("ab", Wish(True, "two", users=("x",)))
    assert placed(seats, named("two")) == ".a"
    seats.came("x")
    assert placed(seats, named("two")) == "xa"


def test_a_map_has_its_own_boxes() -> None:
    boxes = (Box(0, 0, 100, 100), Box(200, 0, 100, 100))
    assert placed(seats_of("abc", Wish(boxes=boxes)), boxes) == "ab"


def test_voices_take_free_boxes_then_those_of_the_longest_silent() -> None:
    seats = seats_of("abcd", Wish(False, "two", voice_activation=True))
    assert placed(seats, named("two")) == ".."
    seats.spoke("c", 1.0)
    assert placed(seats, named("two"), 1.0) == "c."
    seats.spoke("a", 2.0)
    assert placed(seats, named("two"), 2.0) == "ca"
    seats.spoke("d", 10.0)
    assert placed(seats, named("two"), 10.0) == "da"


def test_a_pinned_user_is_not_displaced_by_a_voice() -> None:
    seats = seats_of("abc", Wish(True, "two", users=("a",), voice_activation=True))
    assert placed(seats, named("two")) == "ab"
    seats.spoke("c", 5.0)
    assert placed(seats, named("two"), 5.0) == "ac"


def test_two_who_talk_to_each_other_do_not_flicker() -> None:
    seats = seats_of("ab", Wish(True, "one", voice_activation=True))
    seats.spoke("a", 1.0)
    assert placed(seats, named("one"), 1.0) == "a"
    seats.spoke("b", 1.0 + STAY)
    assert placed(seats, named("one"), 1.0 + STAY) == "b"
    seats.spoke("a", 1.5 + STAY)
    assert placed(seats, named("one"), 1.5 + STAY) == "b"
    assert placed(seats, named("one"), 1.0 + 2 * STAY) == "a"


def test_of_more_than_nine_those_are_seen_who_spoke_last() -> None:
    seats = seats_of("abcdefghijk")
    assert placed(seats, named("nine")) == "abcdefghi"
    for index, user in enumerate("abdefghi"):
        seats.spoke(user, 10.0 + index)
    seats.spoke("k", 30.0)
    assert placed(seats, named("nine"), 30.0) == "abkdefghi"


def test_a_silent_voice_takes_nothing() -> None:
    seats = seats_of("ab", Wish(True, "one", voice_activation=True))
    assert [placed(seats, named("one"), now) for now in (0.0, 100.0)] == ["a", "a"]


@pytest.mark.parametrize(
    ("wish", "playing", "boxes", "shown"),
    [
        pytest.param(Wish(), (Playing("v"),), named("four"), "vab.", id="a box of its own, first"),
        pytest.param(Wish(False, "two", users=("a", "")), (Playing("v"),), named("two"), "av", id="a free box"),
        pytest.param(Wish(False, "two", users=("v", "b")), (Playing("v"),), named("two"), "vb", id="pinned"),
        pytest.param(Wish(False, "two", users=("a", "b")), (Playing("v"),), named("two"), "ab", id="none free"),
        pytest.param(Wish(), (Playing("v", "b"),), named("two"), "ab", id="in place of a user"),
    ],
)
def test_playbacks_are_seated(wish: Wish, playing: tuple[Playing, ...], boxes: tuple[Box, ...], shown: str) -> None:
    seats = seats_of("ab", wish)
    seats.playing = playing
    assert placed(seats, boxes) == shown


def test_a_playback_replaces_the_picture_of_its_user() -> None:
    seats = seats_of("ab")
    seats.playing = (Playing("v", "b"),)
    assert [(seat.user_id, seat.play_id) for seat in seats.arrange(0.0)] == [("a", ""), ("b", "v")]


def test_a_playback_takes_the_box_of_somebody_where_all_are_taken() -> None:
    seats = seats_of("abcdefghi")
    placed(seats, named("nine"))
    seats.playing = (Playing("v"),)
    assert "v" in placed(seats, named("nine"), 1.0)


@pytest.mark.parametrize(
    ("people", "wish", "boxes", "shown"),
    [
        pytest.param("abc", Wish(), named("present-lower-3"), "Pabc", id="tiled"),
        pytest.param("abcde", Wish(), named("present-upper-6"), "Pabcde.", id="more people"),
        pytest.param("ab", Wish(False, "two", users=("b", "a")), named("present-lower-3"), "Pba.", id="pins move on"),
        pytest.param(
            "ab", Wish(True, "present-upper-6", users=("", "b")), named("present-upper-6"), "Pba....", id="its own",
        ),
        pytest.param(
            "ab", Wish(boxes=(Box(0, 0, 64, 64), Box(100, 0, 640, 480))), (Box(0, 0, 64, 64), Box(100, 0, 640, 480)),
            "aP", id="the largest box of a map",
        ),
    ],
)  # fmt: skip
def test_a_presentation_is_large_with_people_beside_it(
    people: str, wish: Wish, boxes: tuple[Box, ...], shown: str
) -> None:
    seats = seats_of(people, wish)
    seats.presenter = "a"
    assert placed(seats, boxes) == shown


def test_what_is_no_camera_is_shown_whole_unless_the_map_says_otherwise() -> None:
    boxes = (Box(0, 0, 640, 480), Box(0, 480, 64, 48), Box(64, 480, 64, 48, "cover"))
    seats = seats_of("ab", Wish(boxes=boxes))
    seats.presenter = "a"
    seats.playing = (Playing("v", "b"),)
    assert [(seat.box.fit, seat.user_id) for seat in seats.arrange(0.0)] == [
        ("contain", "a"),
        ("auto", "a"),
        ("cover", "b"),
    ]


def test_after_a_presentation_everything_is_as_before() -> None:
    seats = seats_of("abc")
    before = placed(seats, named("four"))
    seats.presenter = "c"
    placed(seats, named("present-lower-3"))
    seats.presenter = ""
    assert placed(seats, named("four")) == before


@pytest.mark.parametrize(
    ("given", "wish"),
    [
        pytest.param({}, Wish(), id="nothing: everybody, tiled"),
        pytest.param({"layout": "auto"}, Wish(), id="auto alone"),
        pytest.param({"name": "six"}, Wish(False, "six"), id="a name means custom"),
        pytest.param({"users": ["a", ""]}, Wish(False, users=("a", "")), id="users mean custom"),
        pytest.param({"layout": "auto", "name": "six", "users": ["a"]}, Wish(True, "six", users=("a",)), id="auto"),
        pytest.param({"name": "mine", "map": [[0, 0, 2, 2]]}, Wish(False, "mine", (Box(0, 0, 2, 2),)), id="any name"),
        pytest.param({"voice_activation": True}, Wish(voice_activation=True), id="voices"),
    ],
)
def test_parameters_become_a_wish(given: dict[str, object], wish: Wish) -> None:
    assert wish_of(**given) == wish  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"layout": "tiles"}, {"name": "seven"}, {"map": []}, {"users": ["a"] * 11}])
def test_parameters_that_make_no_sense_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(BadLayout):
        wish_of(**given)  # type: ignore[arg-type]


def test_the_podium_tells_seats_and_layers() -> None:
    seats = seats_of("a")
    seats.playing = (Playing("v", "a"),)
    box = {"width": 1280, "height": 960, "left": 0, "top": 0, "z-index": 0}
    assert podium(seats.arrange(0.0), {1: "logo", -1: None}) == [
        {"user_id": "a", "play_id": "v", **box},
        {"layer_id": None, "z-index": -1},
        {"layer_id": "logo", "z-index": 1},
    ]
