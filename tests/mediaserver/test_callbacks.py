import weakref

from mediaserver import weakly


class Owner:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def hear(self, what: str) -> None:
        self.heard.append(what)


def test_a_callback_to_an_owner_calls_it_and_does_not_keep_it():
    owner = Owner()
    call = weakly(owner.hear)
    call("something")
    heard, gone = owner.heard, weakref.ref(owner)
    del owner
    assert gone() is None
    call("something else")
    assert heard == ["something"]
