"""Who sends to whom, and how fast. Pure."""

from dataclasses import dataclass

PACKET_BYTES = 1000  # of a picture's packet: 5 of them 25 times a second are 1 Mbit/s
AUDIO_BYTES, AUDIO_FPS = 80, 50  # of native/load.h


@dataclass(frozen=True)
class Pace:
    """A publisher's pictures a second, and the packets of each, which leave in one go."""

    fps: float = 25.0
    packets: int = 5


BROWSER = Pace()
JOINING = Pace(fps=10.0, packets=1)  # while a room fills: joining is not what is measured


@dataclass(frozen=True)
class Case:
    """`publishers` who receive each other, and `listeners` who only receive."""

    name: str
    publishers: int
    listeners: int
    sound: bool = False
    only: tuple[str, ...] = ()
    """The servers it is for, where not for all: others could not keep the pace anyway."""

    def suits(self, server: str, meets: bool) -> bool:
        """Whether to measure a server by it; `meets`: it is for people who all see each other, too."""
        return (not self.only or server in self.only) and (meets or self.publishers == 1)

    @property
    def receivers(self) -> int:
        """Who receive anything."""
        return self.listeners + (self.publishers if self.publishers > 1 else 0)

    @property
    def fan_out(self) -> int:
        """The receivers of each packet."""
        return self.publishers - 1 + self.listeners

    @property
    def streams(self) -> int:
        """Tracks that arrive somewhere."""
        return self.publishers * self.fan_out * (2 if self.sound else 1)

    def rate(self, pace: Pace) -> float:
        """Packets forwarded a second when none is lost."""
        return self.publishers * self.fan_out * (pace.fps * pace.packets + (AUDIO_FPS if self.sound else 0))


CASES = (
    Case("1 to 10", 1, 10),
    Case("1 to 100", 1, 100),
    Case("10 x 10", 10, 0),
    Case("10 x 10, sound", 10, 0, sound=True),
    Case("30 x 30", 30, 0),
    Case("1 to 1000", 1, 1000, only=("Folkmoot",)),
)
