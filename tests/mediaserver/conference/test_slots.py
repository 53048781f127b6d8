from hypothesis import given
from hypothesis import strategies as st

from mediaserver.conference.slots import MAX_SLOTS, SlotTable

A, B, C = ("a", "video"), ("b", "video"), ("c", "video")
SOUND = ("a", "audio")


def offered(table):
    return {slot.mid: slot.offered for slot in table.slots}


def test_each_wanted_track_gets_a_slot_of_its_kind():
    table = SlotTable()
    table.plan([SOUND, A], {SOUND, A})
    assert [(slot.mid, slot.kind, slot.offered) for slot in table.slots] == [("0", "audio", SOUND), ("1", "video", A)]


def test_a_slot_whose_track_is_over_is_given_to_the_next_of_its_kind():
    table = SlotTable()
    table.plan([A, B], {A, B})
    table.plan([B, C], {B, C})
    assert offered(table) == {"0": C, "1": B}


def test_a_slot_is_never_given_to_another_kind():
    table = SlotTable()
    table.plan([A], {A})
    table.plan([SOUND], {SOUND})
    assert offered(table) == {"0": None, "1": SOUND}


def test_a_running_track_that_nobody_wants_keeps_its_slot():
    table = SlotTable()
    table.plan([A], {A})
    table.plan([B], {A, B})
    assert offered(table) == {"0": A, "1": B}


def test_a_running_track_that_nobody_wants_gives_way_when_all_slots_are_taken():
    table = SlotTable()
    first = [(str(i), "video") for i in range(MAX_SLOTS)]
    table.plan(first, set(first))
    table.plan([*first[1:], A], {*first, A})
    assert len(table.slots) == MAX_SLOTS
    assert offered(table)["0"] == A


def test_more_tracks_than_slots_are_left_out_in_their_order():
    table = SlotTable()
    wanted = [(str(i), "video") for i in range(MAX_SLOTS + 3)]
    table.plan(wanted, set(wanted))
    assert list(table.offered()) == wanted[:MAX_SLOTS]


def test_a_track_is_carried_only_after_the_answer():
    table = SlotTable()
    table.plan([A], {A})
    assert table.carrying(A) is None
    table.answered()
    assert table.carrying(A) is table.slots[0]


def test_the_client_goes_on_knowing_the_old_track_until_it_answers_the_next_offer():
    table = SlotTable()
    table.plan([A], {A})
    table.answered()
    table.plan([B], {B})
    assert (table.carrying(A), table.carrying(B)) == (table.slots[0], None)
    table.answered()
    assert (table.carrying(A), table.carrying(B)) == (None, table.slots[0])


keys = st.tuples(st.sampled_from("abcdef"), st.sampled_from(["audio", "video"]))


@given(st.lists(st.tuples(st.sets(keys), st.sets(keys), st.booleans()), max_size=12))
def test_slots_only_grow_and_never_share_a_track_or_change_kind(rounds):
    table = SlotTable()
    kinds: list[str] = []
    for wanted, unwanted, answered in rounds:
        table.plan(sorted(wanted), wanted | unwanted)
        if answered:
            table.answered()
        assert [slot.kind for slot in table.slots][: len(kinds)] == kinds
        kinds = [slot.kind for slot in table.slots]
        taken = [slot.offered for slot in table.slots if slot.offered]
        assert len(taken) == len(set(taken))
        assert wanted <= set(taken) <= wanted | unwanted
        assert all(slot.offered[1] == slot.kind for slot in table.slots if slot.offered)
