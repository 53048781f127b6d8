"""A typed client of the server's REST API, for programs that are written in Python.

    from signaling.client import NewUser, RoomOptions, Rooms

    async with Rooms("https://meet.example", key) as rooms:
        ada = await rooms.enter(NewUser(name="Ada"), "standup", options=RoomOptions(lock_available=True))
        print("Open", ada.links.gui)
        user = rooms.user(ada)
        await user.say("Welcome!")
        await user.start_recording()
        async with rooms.observe("standup") as events:
            async for event in events:
                if event["type"] == "participant_update":
                    print(event["participant"]["name"])

Bodies and answers are the models that the server itself checks and describes its API by. What the server refuses is an
`ApiError` with `status` and `body`. The example in these lines is run by the tests.
"""

from signaling.api.rooms.layers import NewInsert
from signaling.api.rooms.models import Meeting, NewUser
from signaling.client.calls import ApiError
from signaling.client.rooms import Rooms
from signaling.client.tokens import Realtime, Sessions, Spaces
from signaling.client.user import User
from signaling.services.room_options import RoomOptions

__all__ = [
    "ApiError",
    "Meeting",
    "NewInsert",
    "NewUser",
    "Realtime",
    "RoomOptions",
    "Rooms",
    "Sessions",
    "Spaces",
    "User",
]
