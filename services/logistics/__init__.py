"""Logistics follows goods: gates, what passes them, deliveries with their weights, and the trail of each piece.

It owns ``gates``, ``pickup-notes``, ``deliveries``, ``passages``, ``discrepancies`` and ``trails``, hears deals from orders
and pieces from the catalog, and tells orders when a delivery starts, leaves, is weighed or is called off. Reads of tags come
as a stream.

Order of locks: passage, then deals by id, then what is of them: notes, deliveries and corrections, each by id. Events about a
delivery are told in the order of its deal, so that the deal is locked by every change of one, and of a note. Reads lock
nothing but the open passage of their gate, gates in the order of their ids.
"""

from __future__ import annotations

from chassis.service import Service, join_handlers
from services.logistics.base import Base
from services.logistics.discrepancies.api import routes as discrepancies
from services.logistics.invariants import INVARIANTS
from services.logistics.notes.api import routes as notes
from services.logistics.notes.commands import expire_note
from services.logistics.notes.model import PickupNote
from services.logistics.pieces.consumers import HANDLERS as PIECES
from services.logistics.recalls.consumers import HANDLERS as DEALS
from services.logistics.rfid.api import routes as passages
from services.logistics.rfid.commands import close_passage
from services.logistics.rfid.consumers import STREAM_HANDLERS
from services.logistics.rfid.model import Passage
from services.logistics.shipments.api import routes as deliveries
from services.logistics.shipments.commands import pass_deadline
from services.logistics.shipments.model import Delivery
from services.logistics.trace.api import routes as trails
from services.logistics.warehouses.api import routes as gates
from services.logistics.weighing.api import routes as tickets
from services.logistics.weighing.consumers import HANDLERS as ACCEPTANCES

SERVICE = Service(
    name="logistics",
    base=Base,
    nouns=("gates", "pickup-notes", "deliveries", "passages", "discrepancies", "trails"),
    blueprints=(gates, notes, deliveries, tickets, passages, discrepancies, trails),
    handlers=join_handlers(PIECES, DEALS, ACCEPTANCES),
    streams=STREAM_HANDLERS,
    timers={Passage: close_passage, PickupNote: expire_note, Delivery: pass_deadline},
    invariants=INVARIANTS,
)
