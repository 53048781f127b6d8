import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.api.rooms.nesting import MAX_DEPTH, MAX_NAMES, nest, unbracket
from signaling.services.errors import BadBody, BadValue, Invalid

WORDS = st.text(st.characters(blacklist_characters="[]", blacklist_categories=["Cs"]), min_size=1, max_size=8)
LEAVES = st.text(max_size=8) | st.lists(st.text(max_size=4), min_size=1, max_size=3)
TREES = st.recursive(
    st.dictionaries(WORDS, LEAVES, max_size=4),
    lambda inner: st.dictionaries(WORDS, LEAVES | inner.filter(bool), max_size=3),
    max_leaves=12,
)
ANY_NAME = st.text(alphabet="ab[]é\0", max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_NAME, inner, max_size=3),
    max_leaves=12,
)


def pairs_of(tree: dict, prefix: str = "") -> list[tuple[str, str]]:
    """The form that says the same."""
    found = []
    for name, value in tree.items():
        path = f"{prefix}[{name}]" if prefix else name
        if isinstance(value, dict):
            found += pairs_of(value, path)
        elif isinstance(value, list):
            found += [(f"{path}[]", each) for each in value]
        else:
            found.append((path, value))
    return found


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        pytest.param([("user[name]", "A")], {"user": {"name": "A"}}, id="one level"),
        pytest.param(
            [("user[name]", "A"), ("user[id]", "1"), ("name", "R")],
            {"user": {"name": "A", "id": "1"}, "name": "R"},
            id="siblings",
        ),
        pytest.param(
            [("options[custom_fields][locale]", "de")], {"options": {"custom_fields": {"locale": "de"}}}, id="deeper"
        ),
        pytest.param([("users[]", "a"), ("users[]", ""), ("users[]", "b")], {"users": ["a", "", "b"]}, id="list"),
        pytest.param([("name", "A"), ("name", "B")], {"name": "B"}, id="the last one counts"),
        pytest.param([("z-index", "-1")], {"z-index": "-1"}, id="other characters"),
        pytest.param([("a[b", "1"), ("]", "2"), ("[x]", "3")], {"a[b": "1", "]": "2", "[x]": "3"}, id="no brackets"),
        pytest.param([], {}, id="nothing"),
    ],
)
def test_brackets_nest(pairs: list[tuple[str, str]], found: dict):
    assert nest(pairs) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param({"user[name]": "A"}, {"user": {"name": "A"}}, id="brackets in a key"),
        pytest.param({"user": {"id": "1"}, "user[name]": "A"}, {"user": {"id": "1", "name": "A"}}, id="in pieces"),
        pytest.param({"user[name]": "A", "user": {"id": "1"}}, {"user": {"id": "1", "name": "A"}}, id="other order"),
        pytest.param({"users[]": ["a", "b"]}, {"users": ["a", "b"]}, id="a list's name"),
        pytest.param({"options[custom_fields]": {"locale": "de"}}, {"options": {"custom_fields": {"locale": "de"}}}),
        pytest.param({"user": {"custom[locale]": "de"}}, {"user": {"custom": {"locale": "de"}}}, id="within"),
        pytest.param({"name": None, "user": {"name": "A", "id": None}}, {"user": {"name": "A"}}, id="null"),
    ],
)
def test_brackets_in_json_are_read_the_same_way(given: dict, found: dict):
    assert unbracket(given) == found


@pytest.mark.parametrize(
    "pairs",
    [
        [("user", "A"), ("user[name]", "B")],
        [("user[name]", "B"), ("user", "A")],
        [("users[]", "a"), ("users[name]", "b")],
        [("users", "a"), ("users[]", "b")],
    ],
)
def test_one_name_cannot_be_two_things(pairs: list[tuple[str, str]]):
    with pytest.raises(BadValue) as error:
        nest(pairs)
    assert error.value.parameter == pairs[0][0].partition("[")[0]


def test_neither_depth_nor_number_is_without_bounds():
    with pytest.raises(BadBody):
        nest([("a" + "[b]" * MAX_DEPTH, "1")])
    with pytest.raises(BadBody):
        nest([(f"a{number}", "1") for number in range(MAX_NAMES + 1)])
    deep: dict = {}
    for _ in range(MAX_DEPTH + 1):
        deep = {"a": deep}
    with pytest.raises(BadBody):
        unbracket(deep)
    with pytest.raises(BadBody):
        unbracket({"a": [[] for _ in range(MAX_NAMES)]})


@given(TREES)
def test_a_form_says_what_its_tree_says(tree: dict):
    assert nest(pairs_of(tree)) == tree


@given(TREES)
def test_json_and_form_say_the_same(tree: dict):
    assert unbracket(tree) == tree
    flat: dict = {}
    for name, value in pairs_of(tree):
        if name.endswith("[]"):
            flat.setdefault(name, []).append(value)
        else:
            flat[name] = value
    assert unbracket(flat) == tree


@given(st.lists(st.tuples(ANY_NAME, st.text(max_size=3)), max_size=12))
def test_whatever_a_form_holds_is_read_or_refused(pairs: list[tuple[str, str]]):
    with contextlib.suppress(Invalid):
        nest(pairs)


@given(st.dictionaries(ANY_NAME, JSON, max_size=5))
def test_whatever_json_holds_is_read_or_refused(value: dict):
    with contextlib.suppress(Invalid):
        unbracket(value)
