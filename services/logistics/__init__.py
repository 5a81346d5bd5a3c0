"""Logistics follows goods: gates with their readers, what passes them, deliveries with their weights and milestones, zones and
stock-takes, the EPCIS repository (``/epcis/v2``), traces, recalls of lots, and pages for consumers (``/dl``).

It hears deals from orders, pieces from the catalog, companies and users from identity, and tells orders when a delivery
starts, leaves, is weighed or is called off. Reads of tags come as a stream.

Order of locks: passage, then deals by id, then what is of them: notes, deliveries and corrections, each by id. Events about a
delivery are told in the order of its deal, so that the deal is locked by every change of one, and of a note. Reads lock
nothing but the open passage of their gate, gates in the order of their ids. A gate that settles locks its open passage, those
that it may take back, and then the open passage of a neighbour that has to look again; two neighbours that wait for each other
are begun anew. Subscriptions to queries come last, each by id.
"""

from __future__ import annotations

from chassis.service import Errand, Service, join_handlers
from chassis.timers import open_urgent_timers
from services.logistics.base import Base
from services.logistics.companies.consumers import HANDLERS as COMPANIES
from services.logistics.discrepancies.api import routes as discrepancies
from services.logistics.epcis.api import routes as epcis
from services.logistics.epcis.query.api import routes as epcis_queries
from services.logistics.epcis.sharing.api import routes as event_shares
from services.logistics.epcis.subscriptions.api import routes as subscriptions
from services.logistics.epcis.subscriptions.commands import run_due
from services.logistics.epcis.subscriptions.consumers import HANDLERS as CAPTURES
from services.logistics.epcis.subscriptions.model import EpcisSubscription
from services.logistics.epcis.subscriptions.pushing import PUSH, record_push
from services.logistics.epcis.subscriptions.sending import open_push_loop, send_push
from services.logistics.invariants import INVARIANTS
from services.logistics.lot_recalls.api import routes as lot_recalls
from services.logistics.lot_recalls.commands import pass_deadline as pass_recall_deadline
from services.logistics.lot_recalls.model import LotRecall
from services.logistics.manual.api import routes as entries
from services.logistics.milestones.api import routes as milestones
from services.logistics.milestones.consumers import HANDLERS as MILESTONES
from services.logistics.notes.api import routes as notes
from services.logistics.notes.commands import expire_note
from services.logistics.notes.model import PickupNote
from services.logistics.pieces.consumers import HANDLERS as PIECES
from services.logistics.publishing.api import pages
from services.logistics.publishing.api import routes as publications
from services.logistics.recalls.consumers import HANDLERS as DEALS
from services.logistics.records.api import routes as records
from services.logistics.rfid.api import routes as passages
from services.logistics.rfid.commands import close_passage
from services.logistics.rfid.consumers import STREAM_HANDLERS
from services.logistics.rfid.model import Passage
from services.logistics.rfid.readers.api import routes as readers
from services.logistics.rfid.readers.collecting import ReaderLoop
from services.logistics.rfid.readers.consumers import HANDLERS as VERDICTS
from services.logistics.rfid.readers.mqtt import MqttLoop
from services.logistics.shipments.api import routes as deliveries
from services.logistics.shipments.commands import pass_deadline
from services.logistics.shipments.model import Delivery
from services.logistics.staff.consumers import HANDLERS as USERS
from services.logistics.stocktakes.api import routes as stocktakes
from services.logistics.stocktakes.commands import abandon_stock_take
from services.logistics.stocktakes.model import StockTake
from services.logistics.trace.api import routes as trails
from services.logistics.trace.api_traces import routes as traces
from services.logistics.warehouses.api import routes as gates
from services.logistics.weighing.api import routes as tickets
from services.logistics.weighing.consumers import HANDLERS as ACCEPTANCES
from services.logistics.zones.api import routes as zones
from services.logistics.zones.commands import end_stay
from services.logistics.zones.consumers import HANDLERS as DEPARTURES
from services.logistics.zones.model import Stay

SERVICE = Service(
    name="logistics",
    base=Base,
    nouns=(
        "gates",
        "pickup-notes",
        "deliveries",
        "passages",
        "discrepancies",
        "zones",
        "stays",
        "stock-takes",
        "manual-entries",
        "trails",
        "traces",
        "places",
        "lot-recalls",
        "recall-notices",
        "trace-records",
        "publications",
        "event-shares",
    ),
    prefixes=("/epcis/v2", "/dl"),
    blueprints=(
        gates,
        readers,
        notes,
        deliveries,
        milestones,
        tickets,
        passages,
        discrepancies,
        zones,
        stocktakes,
        entries,
        trails,
        traces,
        lot_recalls,
        records,
        publications,
        pages,
        event_shares,
        epcis,
        epcis_queries,
        subscriptions,
    ),
    handlers=join_handlers(COMPANIES, PIECES, DEALS, ACCEPTANCES, USERS, VERDICTS, MILESTONES, DEPARTURES, CAPTURES),
    streams=STREAM_HANDLERS,
    timers={
        Passage: close_passage,
        EpcisSubscription: run_due,
        PickupNote: expire_note,
        Delivery: pass_deadline,
        LotRecall: pass_recall_deadline,
        StockTake: abandon_stock_take,
        Stay: end_stay,
    },
    errands={PUSH: Errand(call=send_push, record=record_push, lease_s=90)},
    invariants=INVARIANTS,
    loops={
        "readers": ReaderLoop,
        "mqtt": MqttLoop,
        "timers-2": open_urgent_timers,
        "timers-3": open_urgent_timers,
        "pushes-2": open_push_loop,
        "pushes-3": open_push_loop,
    },
)
