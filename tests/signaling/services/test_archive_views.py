"""What an archive is called, and where its file goes in a store of the tenant's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.objects import is_key
from signaling.services.archive_views import Seen, object_key, project_of, status_of
from signaling.services.recording import State
from signaling.store.recordings import RecordingRow


def row(state: State = State.RUNNING, owner: str = "") -> RecordingRow:
    return RecordingRow("0123456789abcdef01234567", "recording", "sessions", owner, "s", "s", "{}", 0, state)


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        (Seen(row(), None), "started"),
        (Seen(row(), None, paused=True), "paused"),
        (Seen(row(State.STOPPED), None, paused=True), "stopped"),
        (Seen(row(State.FINISHED), "url"), "available"),
        (Seen(row(State.FINISHED), None, over=True), "expired"),
        (Seen(row(State.UPLOADED), None, over=True), "uploaded"),
        (Seen(row(State.EXPIRED), None, over=True), "expired"),
        (Seen(row(State.FAILED), None, over=True), "failed"),
    ],
)
def test_each_state_has_its_word(seen: Seen, status: str):
    assert status_of(seen) == status


@pytest.mark.parametrize(("tenant", "project"), [("", "folkmoot"), ("acme", "acme"), ("Acme-1.x_y", "Acme-1.x_y")])
def test_a_tenant_that_can_be_in_a_name_is_in_it_as_it_is(tenant: str, project: str):
    assert project_of(tenant) == project


@given(st.text())
def test_whatever_a_tenant_is_called_its_objects_have_a_key(tenant: str):
    assert is_key(object_key(row(owner=tenant)))


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True))
def test_two_tenants_share_no_folder(tenants: list[str]):
    first, second = (project_of(each) for each in tenants)
    assert first != second
