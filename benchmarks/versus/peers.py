"""A load client's two ends of a negotiation: what it offers to publish, and what it answers to receive or asks to play.

For servers whose offers and answers are plain SDP; how these travel is the adapter's.
"""

from benchmarks.descriptions import play_offer, publish_offer, read_remote, subscribe_answer
from benchmarks.load import Load

ANY = "0.0.0.0"  # a client's own address: the kernel chooses it by the server's


class Sender:
    """A microphone and a camera. It connects (DTLS role active): the load generator knows no other."""

    def __init__(self, load: Load) -> None:
        self._tracks = [load.track("audio", "0"), load.track("video", "1")]
        self._client = load.open(ANY)
        self.offer = publish_offer(self._client.identity, self._tracks, setup="active")

    async def accepted(self, answer: str) -> None:
        """Starts to send once the connection is open."""
        for track in self._tracks:
            self._client.publish(track)
        self._client.connect(read_remote(answer))
        await self._client.opened()

    def close(self) -> None:
        self._client.close()


class Receiver:
    """One connection that media comes in by: either side may have offered it."""

    def __init__(self, load: Load) -> None:
        self._client = load.open(ANY)

    def answer(self, offer: str) -> str:
        """To a server's offer of everything it has; `connect` follows."""
        return subscribe_answer(offer, self._client.identity)

    @property
    def offer(self) -> str:
        """To play one publisher's sound and picture; `connect` follows with the answer."""
        return play_offer(self._client.identity)

    async def connect(self, description: str) -> None:
        """To whom the server's offer or answer tells; returns once the connection is open."""
        self._client.connect(read_remote(description))
        await self._client.opened()

    def close(self) -> None:
        self._client.close()
