"""The catalog: which markets there are, what pieces are, and what is on offer.

It owns the market packs, the pieces with their owners, tags, certificates and history, and the search index. Prices, quantities and
promises are for orders: the catalog hears of them and finds them. Lock order: a company's uploads (advisory), then
pieces by id.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import Describer, Service, join_handlers
from chassis.settings import Settings
from services.catalog.base import Base
from services.catalog.certificates.api import routes as certificates_routes
from services.catalog.certificates.consumers import HANDLERS as CERTIFICATE_HANDLERS
from services.catalog.imports.api import routes as imports_routes
from services.catalog.invariants import INVARIANTS
from services.catalog.markets.api import routes as markets_routes
from services.catalog.markets.commands import describe as describe_market
from services.catalog.markets.commands import publish_packs
from services.catalog.markets.loader import load_packs
from services.catalog.markets.model import Market
from services.catalog.parties.consumers import HANDLERS as PARTY_HANDLERS
from services.catalog.products.api import routes as products_routes
from services.catalog.products.commands import describe as describe_piece
from services.catalog.products.consumers import HANDLERS as PRODUCT_HANDLERS
from services.catalog.products.model import Piece
from services.catalog.search.api import routes as search_routes
from services.catalog.search.feed import SearchFeed


def set_up(session: Session, caller: Caller, settings: Settings) -> None:
    """Publish the market packs of this release."""
    publish_packs(session, caller, load_packs().values())


SERVICE = Service(
    name="catalog",
    base=Base,
    nouns=("certificates", "markets", "pieces", "search"),
    blueprints=(markets_routes, products_routes, imports_routes, certificates_routes, search_routes),
    handlers=join_handlers(PARTY_HANDLERS, PRODUCT_HANDLERS, CERTIFICATE_HANDLERS),
    describers={"market": Describer(Market, describe_market), "piece": Describer(Piece, describe_piece)},
    invariants=INVARIANTS,
    loops={"search": SearchFeed},
    setup=set_up,
)
