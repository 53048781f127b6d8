"""Recording conferences, whichever family they are of.

`states.py` says what becomes of a recording; `recorder.py` begins and stops it, `finishing.py` sees to its file,
`uploads.py` puts that where it is kept, `ledger.py` writes down and tells, `library.py` finds it again. Who may record,
and what callers are told, is each family's: it enters a `Patron` in the ledger, and hands over an `Order`.
"""

from signaling.services.recording.finishing import Finishing
from signaling.services.recording.ledger import Ledger
from signaling.services.recording.library import Library
from signaling.services.recording.recorder import Recorder
from signaling.services.recording.states import State
from signaling.services.recording.takes import KIND, Order, Patron
from signaling.services.recording.uploads import Uploads

__all__ = ["KIND", "Finishing", "Ledger", "Library", "Order", "Patron", "Recorder", "State", "Uploads"]
