"""The realtime family: rooms for clients that negotiate themselves."""

from signaling.api.realtime import realtime_family
from signaling.appkeys import REALTIME_ROOMS
from signaling.assembly import Core, Parts
from signaling.services.realtime_door import RealtimeDoor, venue
from signaling.services.realtime_rooms import RealtimeRooms


def realtime(core: Core) -> Parts:
    keys = core.keys("realtime", core.settings.realtime_keys)
    rooms, conferences = RealtimeRooms(core.database, core.settings, core.clock), core.conferences
    rooms.presence = conferences
    rooms.on_deleted = lambda room_id: conferences.end(room_id, "room_deleted")
    rooms.on_upgraded = lambda room: conferences.upgraded(venue(room))
    return Parts(
        families=[realtime_family(keys)],
        doors=[RealtimeDoor(rooms, keys)],
        keys={REALTIME_ROOMS: rooms},
        sweeps=[rooms.sweep],
    )
