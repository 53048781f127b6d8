"""The media plane: its public names, nothing else."""

from mediaserver.clock import Clock, SystemClock
from mediaserver.config import MediaConfig
from mediaserver.stats import ServerStats

__all__ = ["Clock", "MediaConfig", "ServerStats", "SystemClock"]
