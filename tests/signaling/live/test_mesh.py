"""Whatever a stranger says to somebody else: it is an error, or it arrives bounded and under the right name."""

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

from mediaserver import MediaError
from signaling.live import fields, mesh
from signaling.live.caller import Caller
from signaling.live.conversation import Conversation
from signaling.live.protocol import LiveError
from signaling.services.errors import ServiceError
from signaling.services.members import Profile
from tests.support.meetings import Ear, World

CAMERA = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f01"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
STREAM = st.fixed_dictionaries(
    {"stream_id": st.just(CAMERA) | st.uuids().map(str) | ANYTHING, "label": st.sampled_from(["camera", "screen", 1])},
    optional={"audio_mid": ANYTHING, "video_mid": ANYTHING, "user_id": ANYTHING, "replace": ANYTHING},
)
SAID = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["offer", "answer", "candidate", "close"]),
        "to": st.sampled_from(["bert", "anna", "nobody"]) | ANYTHING,
    },
    optional={
        "from": ANYTHING,
        "request_id": ANYTHING,
        "sdp": ANYTHING | st.text(),
        "candidate": ANYTHING | st.fixed_dictionaries({"candidate": st.text(max_size=60)}),
        "streams": ANYTHING | st.lists(STREAM, max_size=3),
        "more": ANYTHING,
    },
)


async def pair() -> tuple[Caller, Ear]:
    """Anna, as her socket's messages are acted on, and Bert's ear."""
    world = World(mode="MESH")
    bert = await world.join("bert")
    visitor = await world.visit("anna")
    caller = Caller(None, visitor, world.conferences, world.time.clock, world.time, lambda: None)

    def converse(member):
        return Conversation(world.conferences, visitor.meeting, member, world.time.clock, world.time)

    arrival = await world.entrance.join(visitor, Profile(), converse)
    caller.conversation = arrival.member.outlet
    return caller, bert.ear


@given(st.lists(SAID, max_size=6))
def test_what_arrives_is_bounded_and_says_who_it_is_from(said):
    caller, ear = asyncio.run(pair())
    for message in said:
        count = len(ear.passed)
        try:
            asyncio.run(mesh.pass_on(caller, message))
        except (LiveError, ServiceError, MediaError):
            assert len(ear.passed) == count
        else:
            passed = ear.passed[-1]
            assert (passed["from"], "to" in passed, "request_id" in passed) == ("anna", False, False)
            assert passed["type"] not in mesh.DESCRIPTIONS or passed["sdp"] == message["sdp"]
            assert len(json.dumps(passed)) < fields.MAX_SDP * 6 + mesh.MAX_BESIDES * 6
        assert len(caller.meeting.streams()) <= 2
        assert {stream.participant_id for stream in caller.meeting.streams()} <= {"anna"}
