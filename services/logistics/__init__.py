"""Logistics follows goods: gates, what passes them, deliveries with their weights, and the trail of each piece.

It owns ``gates``, ``deliveries``, ``passages`` and ``trails``, hears deals from orders and pieces from the catalog,
and tells orders when a delivery starts, leaves, is weighed or is called off. Reads of tags come as a stream.

Order of locks: passage, then deals by id, then deliveries by id. Events about a delivery are told in the order of its
deal, so that the deal is locked by every change of one. Reads lock nothing but the open passage of their gate, gates
in the order of their ids.
"""

from __future__ import annotations

from chassis.service import Service, join_handlers
from services.logistics.base import Base
from services.logistics.invariants import INVARIANTS
from services.logistics.pieces.consumers import HANDLERS as PIECES
from services.logistics.rfid.api import routes as passages
from services.logistics.rfid.commands import close_passage
from services.logistics.rfid.consumers import STREAM_HANDLERS
from services.logistics.rfid.model import Passage
from services.logistics.shipments.api import routes as deliveries
from services.logistics.shipments.commands import pass_deadline
from services.logistics.shipments.consumers import HANDLERS as DEALS
from services.logistics.shipments.model import Delivery
from services.logistics.trace.api import routes as trails
from services.logistics.warehouses.api import routes as gates
from services.logistics.weighing.api import routes as tickets

SERVICE = Service(
    name="logistics",
    base=Base,
    nouns=("gates", "deliveries", "passages", "trails"),
    blueprints=(gates, deliveries, tickets, passages, trails),
    handlers=join_handlers(PIECES, DEALS),
    streams=STREAM_HANDLERS,
    timers={Passage: close_passage, Delivery: pass_deadline},
    invariants=INVARIANTS,
)
