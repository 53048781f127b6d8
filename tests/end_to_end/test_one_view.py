"""Everybody in one picture, for real clients: each is sent one stream, sees all, and hears all but themselves."""

from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.test_recordings import HIGH, LOW, standup
from tests.support.mesh_peer import MeshPeer
from tests.support.peer import SAMPLE_RATE, TONE_TOLERANCE_HZ

ONE_VIEW = "one_view"
QUIET = 0.02  # of the loudest: what is less is not heard

pytestmark = pytest.mark.slow


def shares(peer: MeshPeer) -> tuple[float, float]:
    """How loud the low and the high tone are in what the peer hears of all, of the loudest there is."""
    screen = peer.subscribing.screen(ONE_VIEW, "audio") if peer.subscribing else None
    heard = np.concatenate(screen.samples) if screen and screen.samples else np.zeros(0)
    if len(heard) < SAMPLE_RATE // 2 or np.abs(heard).max() < 500:
        return 0.0, 0.0
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    width = round(TONE_TOLERANCE_HZ * len(heard) / SAMPLE_RATE)
    low, high = (round(tone * len(heard) / SAMPLE_RATE) for tone in (LOW, HIGH))
    loudest = spectrum.max()
    return tuple(float(spectrum[at - width : at + width + 1].max() / loudest) for at in (low, high))  # type: ignore[return-value]


def sees_both(peer: MeshPeer) -> bool:
    """The mean colour of the picture has both of them: half red, half green, on a dark ground."""
    screen = peer.subscribing.screen(ONE_VIEW, "video") if peer.subscribing else None
    if screen is None or screen.colour is None:
        return False
    red, green, blue = screen.colour
    return red > 2 * blue - 20 and green > 1.5 * blue and red + green > 120


def given(peer: MeshPeer) -> list[str]:
    """The labels of what the last offer brings."""
    assert peer.subscribing
    return [each["label"] for each in peer.subscribing.streams if each["audio_mid"] or each["video_mid"]]


async def test_each_hears_the_other_and_not_themselves_in_one_view(tmp_path: Path) -> None:
    async with standup(tmp_path) as (_, ada, bob):
        for peer in (ada, bob):
            await peer.say("set_view", view="one_view")
        await ada.until(lambda: given(ada) == [ONE_VIEW], "only the picture of all")
        await bob.until(lambda: given(bob) == [ONE_VIEW], "only the picture of all")
        await ada.until(lambda: sees_both(ada), "both in one picture")
        await ada.until(lambda: shares(ada)[1] == 1.0 and shares(ada)[0] < QUIET, "Bob alone")
        await bob.until(lambda: shares(bob)[0] == 1.0 and shares(bob)[1] < QUIET, "Ada alone")

        await ada.say("mute", stream_id=ada.stream_id, audio=True)
        await bob.until(lambda: shares(bob) == (0.0, 0.0), "silence")
        await ada.until(lambda: shares(ada)[1] == 1.0 and shares(ada)[0] < QUIET, "Bob alone, while she is muted")
        await ada.say("mute", stream_id=ada.stream_id, audio=False)
        await bob.until(lambda: shares(bob)[0] == 1.0, "Ada again")
        await ada.until(lambda: shares(ada)[1] == 1.0 and shares(ada)[0] < QUIET, "Bob alone, again")

        await ada.say("set_view", view="streams")
        await ada.until(lambda: given(ada) == ["camera"], "Bob's own stream")
        await ada.until(lambda: ada.gets(bob, "server"), "Bob as he is")
        await bob.until(lambda: given(bob) == [ONE_VIEW] and shares(bob)[0] == 1.0, "the picture of all, still")


async def test_a_listener_without_a_microphone_hears_everybody(tmp_path: Path) -> None:
    async with standup(tmp_path) as (_, ada, bob):
        await ada.say("mute", stream_id=ada.stream_id, audio=True)
        await ada.say("set_view", view="one_view")
        await ada.until(lambda: given(ada) == [ONE_VIEW] and shares(ada)[1] == 1.0, "Bob")
        assert bob.count("mute_update") == 1
