"""The catalog: which markets there are, what products and pieces are, and what is on offer.

It owns the market packs, the products with their lots, documents and history, the pieces with their owners, tags and certificates,
the search index and the price indices. Prices, quantities and promises are for orders: the catalog hears of them, finds them and
makes indices of them. Lock order: a company's uploads (advisory), files, then products, lots and pieces by id; an index's days by
id, then the deals that count for them.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import Describer, Errand, Service, join_handlers
from chassis.settings import Settings
from chassis.uploads.api import make_routes
from chassis.uploads.commands import expire_upload
from chassis.uploads.loop import make_loop
from chassis.uploads.model import Upload
from services.catalog.base import Base
from services.catalog.certificates.api import routes as certificates_routes
from services.catalog.certificates.consumers import HANDLERS as CERTIFICATE_HANDLERS
from services.catalog.documents.api import routes as documents_routes
from services.catalog.documents.commands import record_scan
from services.catalog.documents.scanning import scan_file
from services.catalog.documents.storing import SCAN_FILE, owe_scans
from services.catalog.imports.api import routes as imports_routes
from services.catalog.imports.exports_api import routes as exports_routes
from services.catalog.imports.importers import IMPORTERS
from services.catalog.indices.api import routes as indices_routes
from services.catalog.indices.commands import describe as describe_index_day
from services.catalog.indices.commands import publish_day
from services.catalog.indices.consumers import HANDLERS as INDEX_HANDLERS
from services.catalog.indices.invariants import INVARIANTS as INDEX_INVARIANTS
from services.catalog.indices.model import IndexDay
from services.catalog.invariants import INVARIANTS
from services.catalog.markets.api import routes as markets_routes
from services.catalog.markets.commands import describe as describe_market
from services.catalog.markets.commands import publish_packs
from services.catalog.markets.loader import load_packs
from services.catalog.markets.model import Market
from services.catalog.parties.consumers import HANDLERS as PARTY_HANDLERS
from services.catalog.pieces.api import routes as pieces_routes
from services.catalog.pieces.consumers import HANDLERS as PIECE_HANDLERS
from services.catalog.pieces.model import Piece
from services.catalog.pieces.moving import describe as describe_piece
from services.catalog.pieces.moving import review_due_piece
from services.catalog.products.api import routes as products_routes
from services.catalog.products.finding_api import routes as finding_routes
from services.catalog.products.invariants import PRODUCT_INVARIANTS
from services.catalog.products.lot import Lot
from services.catalog.products.lots import review_due_lot
from services.catalog.products.lots_api import routes as lots_routes
from services.catalog.products.model import Product
from services.catalog.products.moving import describe as describe_product
from services.catalog.products.moving import review_due_product
from services.catalog.search.api import routes as search_routes
from services.catalog.search.feed import SearchFeed
from services.catalog.search.saved_api import routes as saved_routes


def set_up(session: Session, caller: Caller, settings: Settings) -> None:
    """Publish the market packs of this release, and have files scanned that no scanner has seen."""
    publish_packs(session, caller, load_packs().values())
    if settings.scanner:
        owe_scans(session)


SERVICE = Service(
    name="catalog",
    base=Base,
    nouns=(
        "certificates",
        "documents",
        "equivalents",
        "indices",
        "lots",
        "markets",
        "part-numbers",
        "pieces",
        "products",
        "saved-searches",
        "search",
        "uploads",
    ),
    blueprints=(
        indices_routes,
        markets_routes,
        pieces_routes,
        imports_routes,
        certificates_routes,
        search_routes,
        saved_routes,
        products_routes,
        finding_routes,
        lots_routes,
        documents_routes,
        exports_routes,
        make_routes("uploads", IMPORTERS),
    ),
    handlers=join_handlers(PARTY_HANDLERS, PIECE_HANDLERS, CERTIFICATE_HANDLERS, INDEX_HANDLERS),
    describers={
        "index_day": Describer(IndexDay, describe_index_day),
        "market": Describer(Market, describe_market),
        "piece": Describer(Piece, describe_piece),
        "product": Describer(Product, describe_product),
    },
    timers={
        IndexDay: publish_day,
        Lot: review_due_lot,
        Piece: review_due_piece,
        Product: review_due_product,
        Upload: expire_upload,
    },
    errands={SCAN_FILE: Errand(call=scan_file, record=record_scan)},
    invariants=(*INVARIANTS, *INDEX_INVARIANTS, *PRODUCT_INVARIANTS),
    loops={"search": SearchFeed, "uploads": make_loop(IMPORTERS)},
    setup=set_up,
)
