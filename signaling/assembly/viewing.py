"""The common picture for participants, in every family."""

from signaling.assembly import Core, Parts
from signaling.services.viewing import Viewing


def viewing(core: Core) -> Parts:
    watch = Viewing(core.composites)
    core.conferences.viewed = watch.viewed
    return Parts(watches=[watch])
