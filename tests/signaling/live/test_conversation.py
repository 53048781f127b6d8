"""What reaches a participant, and what is offered when: conversations in simulated time, sockets that remember."""

import json

from mediaserver import StreamDescription
from signaling.live.conversation import Conversation
from signaling.live.framing import JsonFraming
from signaling.live.limits import DATA_MESSAGES
from signaling.live.offers import ANSWER_WITHIN, GATHER
from signaling.services.members import Profile
from tests.support.fake_media import FakeParticipant
from tests.support.meetings import World

CAMERA = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f01"
SCREEN = "8f3bd2f6-0f9b-4f2a-9d3c-5a3d5a1f6f02"


class Socket:
    """Follows `LiveSocket`, as far as a conversation needs it."""

    def __init__(self):
        self.framing = JsonFraming()
        self.sent = []
        self.code = None

    def send(self, message, channel=None):
        self.sent.append(message)

    def close(self, code):
        self.code = code

    def offers(self):
        return [message for message in self.sent if message["type"] == "offer"]

    def types(self):
        return [message["type"] for message in self.sent]


class Talk:
    """A participant with a conversation and a socket."""

    def __init__(self, world: World, conversation: Conversation):
        self.world = world
        self.conversation = conversation
        self.member = conversation.member
        self.media: FakeParticipant = conversation.member.media
        self.socket = Socket()
        conversation.attach(self.socket)

    def answer(self, seq, sdp="answer"):
        self.conversation.subscriber.answered(seq, sdp)

    def publish(self, *stream_ids):
        labels = ("camera", "screen")
        streams = [StreamDescription(s, label, "", "0", "1") for s, label in zip(stream_ids, labels, strict=False)]
        self.media.negotiate("offer", streams)

    def texts(self):
        return [json.loads(text) for text in self.media.texts]


async def talk(world: World, who: str) -> Talk:
    visitor = await world.visit(who)

    def conversation(member):
        return Conversation(world.conferences, visitor.meeting, member, world.time.clock, world.time)

    arrival = await world.entrance.join(visitor, Profile(), conversation)
    return Talk(world, arrival.member.outlet)


# offers


async def test_streams_that_start_within_ten_milliseconds_come_in_one_offer():
    world = World()
    anna, bert = await talk(world, "anna"), await talk(world, "bert")
    anna.publish(CAMERA, SCREEN)
    world.time.advance(GATHER)
    assert [len(offer["streams"]) for offer in bert.socket.offers()] == [2]


async def test_an_unanswered_offer_is_made_anew_on_fresh_connections_then_the_participant_is_dropped():
    world = World()
    anna, bert = await talk(world, "anna"), await talk(world, "bert")
    anna.publish(CAMERA)
    world.time.advance(GATHER + 4 * (ANSWER_WITHIN + GATHER))
    assert [offer["seq"] for offer in bert.socket.offers()] == [1, 1, 1, 1]
    assert bert.media.connections == 4
    assert (bert.socket.sent[-1], bert.socket.code) == ({"type": "terminated", "reason": "timeout"}, 1000)
    assert anna.socket.sent[-1]["participant"]["online"] is False


async def test_an_answered_offer_is_not_repeated():
    world = World()
    anna, bert = await talk(world, "anna"), await talk(world, "bert")
    anna.publish(CAMERA)
    world.time.advance(GATHER)
    bert.answer(1)
    bert.media.opens()
    world.time.advance(600.0)
    assert len(bert.socket.offers()) == 1


async def test_changes_while_nobody_listens_are_offered_to_who_comes_back():
    world = World()
    anna, bert = await talk(world, "anna"), await talk(world, "bert")
    bert.conversation.detach(bert.socket, page_gone=False)
    anna.publish(CAMERA)
    world.time.advance(5.0)
    assert bert.media.offers == []
    bert.socket = Socket()
    bert.conversation.attach(bert.socket)
    world.time.advance(GATHER)
    assert [offer["seq"] for offer in bert.socket.offers()] == [1]


async def test_nobody_is_dropped_for_an_answer_they_could_not_give():
    world = World()
    anna, bert = await talk(world, "anna"), await talk(world, "bert")
    anna.publish(CAMERA)
    world.time.advance(GATHER)
    bert.conversation.detach(bert.socket, page_gone=False)
    world.time.advance(14.0)
    await world.visit("carl")
    bert.conversation.attach(Socket())
    assert world.conferences.is_online("room", "bert")


# sockets that come and go


async def test_an_older_socket_that_closes_late_changes_nothing():
    world = World()
    anna = await talk(world, "anna")
    older, newer = anna.socket, Socket()
    anna.conversation.attach(newer)
    anna.conversation.detach(older, page_gone=False)
    world.time.advance(60.0)
    assert world.conferences.is_online("room", "anna")
    anna.conversation.send({"type": "pong"})
    assert newer.types() == ["pong"]


async def test_what_is_told_to_a_lost_socket_is_lost():
    world = World()
    anna, bert = await talk(world, "anna"), await talk(world, "bert")
    anna.conversation.detach(anna.socket, page_gone=False)
    bert.conversation.meeting.say(bert.member, "chat", "hello", 0.0)
    assert "chat" not in anna.socket.types()
    assert bert.socket.types()[-1] == "chat"


# the data channel


async def test_data_reaches_everybody_else_or_those_named():
    world = World()
    anna, bert, carl = [await talk(world, who) for who in ("anna", "bert", "carl")]
    anna.media.says(json.dumps({"type": "data", "payload": {"x": 1}, "to": None}))
    anna.media.says(json.dumps({"type": "data", "payload": 2, "to": ["carl", "anna", "nobody", 7]}))
    first, second = ({"type": "data", "from": "anna", "payload": payload} for payload in ({"x": 1}, 2))
    assert (anna.texts(), bert.texts(), carl.texts()) == ([], [first], [first, second])


async def test_a_ping_on_the_data_channel_is_answered_there():
    world = World()
    anna = await talk(world, "anna")
    anna.media.says('{"type":"ping"}')
    assert anna.texts() == [{"type": "pong"}]


async def test_events_are_mirrored_to_who_asks():
    world = World()
    anna, bert = await talk(world, "anna"), await talk(world, "bert")
    bert.media.says('{"type":"mirror"}')
    anna.conversation.meeting.say(anna.member, "chat", "hello", 0.0)
    assert [text["type"] for text in bert.texts()] == ["chat"]
    assert anna.texts() == []
    assert bert.socket.types()[-1] == "chat"


async def test_what_is_no_message_too_long_too_deep_or_too_much_is_dropped():
    world = World()
    anna, bert = await talk(world, "anna"), await talk(world, "bert")
    too_deep = '{"type":"data","payload":' + "[" * 40 + "]" * 40 + "}"
    too_long = json.dumps({"type": "data", "payload": "x" * 65536})
    for text in ("", "hello", too_deep, too_long):
        anna.media.says(text)
    assert bert.texts() == []
    for _ in range(DATA_MESSAGES + 50):
        anna.media.says('{"type":"data","payload":1}')
    assert len(bert.texts()) == DATA_MESSAGES - 3
    world.time.advance(11.0)
    anna.media.says('{"type":"data","payload":2}')
    assert bert.texts()[-1]["payload"] == 2
