"""Orders keeps promises: what is offered, what was taken of it, what both sides signed, and whether it was kept.

It owns offers with the price lists that they come in by, deals with their deliveries and the parts of them that ended,
cancellations and agreements, and to which offer or deal each piece of goods is promised. It moves no money and no goods: it
says what should move and hears what did.

Locks are taken in this order: deal, cancellation, agreement, delivery, piece, offer, allotment. A take locks the offer before its
deal exists; all promises of an offer change under the offer's lock.
"""

from chassis.service import Describer, Service, join_handlers
from chassis.uploads.api import make_routes
from chassis.uploads.commands import expire_upload
from chassis.uploads.loop import make_loop
from chassis.uploads.model import Upload
from services.orders.base import Base
from services.orders.cancellations import api as cancellations_api
from services.orders.cancellations import consumers as cancellations_consumers
from services.orders.cancellations.commands import handle_due as handle_cancellation
from services.orders.cancellations.model import Cancellation
from services.orders.contracts import api as contracts_api
from services.orders.deals import api as deals_api
from services.orders.deals import consumers as deals_consumers
from services.orders.deals.acceptance import end_inspection
from services.orders.deals.deadlines import handle_due
from services.orders.deals.delivery import Delivery
from services.orders.deals.model import Deal
from services.orders.deals.telling import describe as describe_deal
from services.orders.indices import consumers as indices_consumers
from services.orders.invariants import INVARIANTS
from services.orders.markets import consumers as markets_consumers
from services.orders.offers import api as offers_api
from services.orders.offers.commands import describe_again as describe_offer
from services.orders.offers.commands import expire_offer
from services.orders.offers.model import Offer
from services.orders.offers.uploading import OFFERS
from services.orders.parties import consumers as parties_consumers
from services.orders.pieces import consumers as pieces_consumers
from services.orders.products import consumers as products_consumers

IMPORTERS = {OFFERS.kind: OFFERS}

SERVICE = Service(
    name="orders",
    base=Base,
    nouns=("offers", "offer-uploads", "deals", "agreements"),
    blueprints=(
        offers_api.routes,
        make_routes("offer-uploads", IMPORTERS),
        deals_api.routes,
        cancellations_api.routes,
        contracts_api.routes,
    ),
    handlers=join_handlers(
        parties_consumers.HANDLERS,
        markets_consumers.HANDLERS,
        pieces_consumers.HANDLERS,
        products_consumers.HANDLERS,
        indices_consumers.HANDLERS,
        deals_consumers.HANDLERS,
        cancellations_consumers.HANDLERS,
    ),
    timers={
        Offer: expire_offer,
        Deal: handle_due,
        Delivery: end_inspection,
        Cancellation: handle_cancellation,
        Upload: expire_upload,
    },
    loops={"uploads": make_loop(IMPORTERS)},
    describers={"offer": Describer(Offer, describe_offer), "deal": Describer(Deal, describe_deal)},
    invariants=INVARIANTS,
)
