"""Markets over HTTP: what can be traded here and how, told to people and machines, and published by operators."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import File, Paging, Params, View, command, query
from chassis.values import Identifier, Version
from events.catalog import Clause, MarketFees, MarketTerms
from services.catalog.markets import commands, queries
from services.catalog.markets.commands import Publication
from services.catalog.markets.form import Form, make_form
from services.catalog.markets.index_rules import IndexRule
from services.catalog.markets.model import MarketVersion
from services.catalog.markets.pack import (
    Attribute,
    Bilingual,
    CertificateRule,
    Choice,
    Columns,
    Conversion,
    ProductType,
)
from services.catalog.markets.queries import PublishedPack, find_type, list_types
from services.catalog.markets.rules import CarriageRule, Deduction, DocumentRule, LicenceRule, Mode, Moderation
from services.catalog.markets.schema import make_schema
from services.catalog.markets.sources import MAX_BYTES
from services.catalog.markets.template import make_csv, make_workbook

routes = Blueprint("markets", __name__)
TOML = ("application/toml",)
SCHEMA = "application/schema+json"
CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class SeeMarket(Params):
    """Which version of a market; the latest when nothing is said."""

    version: Version | None = None


class SeeSchema(SeeMarket):
    """Of which product type (otherwise of each), and whether of what is said for a product, for a lot, or for a piece,
    which has everything.
    """

    type: Identifier | None = None
    level: Literal["product", "lot", "piece"] = "product"


class SeeForm(SeeMarket):
    """Of which product type; otherwise of each."""

    type: Identifier | None = None


class SeeTemplate(Params):
    """For products or pieces of which type, as which kind of file, with headings in which language."""

    type: Identifier
    of: Literal["product", "piece"] = "product"
    format: Literal["csv", "xlsx"] = "xlsx"
    language: Literal["zh", "en"] = "zh"


class PublishMarket(Params):
    """``check``: look for mistakes and say what publishing would come to, without doing it."""

    check: bool = False


class MarketSummary(View):
    """A market in a list."""

    market: str
    version: int
    name: Bilingual

    @classmethod
    def of(cls, told: PublishedPack) -> MarketSummary:
        """The view of a market."""
        return cls(market=told.pack.market, version=told.version, name=told.pack.name)


class MarketView(View):
    """A market: what its goods have, which headings an upload may use, what terms may be, what the platform takes.

    ``types`` say what goods of a type must have and what they weigh in theory; ``documents``, ``licences``, ``carriage``
    and ``deductions`` are the rules that they name; ``modes`` the ways to trade; ``clauses`` those of its agreement.
    """

    market: str
    version: int
    name: Bilingual
    terms: MarketTerms
    fees: MarketFees
    conversions: list[Conversion]
    columns: Columns
    attributes: list[Attribute]
    choices: dict[str, list[Choice]]
    types: list[ProductType]
    certificate: CertificateRule | None
    clauses: list[Clause]
    documents: list[DocumentRule]
    licences: list[LicenceRule]
    carriage: list[CarriageRule]
    deductions: list[Deduction]
    modes: list[Mode]
    moderation: Moderation | None
    synonyms: list[list[str]]
    indices: list[IndexRule]

    @classmethod
    def of(cls, told: PublishedPack) -> MarketView:
        """The view of a market."""
        said = {name: getattr(told.pack, name) for name in cls.__struct_fields__ if name != "version"}
        return cls(version=told.version, **said)


class MarketVersionView(View):
    """A version of a market: when it was published, and whether by a release of the platform or by an operator."""

    version: int
    source: Literal["release", "operator"]
    published_at: datetime
    digest: str

    @classmethod
    def of(cls, kept: MarketVersion) -> MarketVersionView:
        """The view of a version."""
        return cls(version=kept.version, source=kept.source, published_at=kept.published_at, digest=kept.digest)  # type: ignore[arg-type]


class PublicationView(View):
    """What became of a pack, or would: the version of its market that has its content, and whether that is new."""

    market: str
    version: int
    is_new: bool
    checked_only: bool

    @classmethod
    def of(cls, publication: Publication, *, checked_only: bool) -> PublicationView:
        """The view of a publication."""
        return cls(
            market=publication.market,
            version=publication.version,
            is_new=publication.is_new,
            checked_only=checked_only,
        )


class FormsView(View):
    """The forms of a market's product types."""

    market: str
    version: int
    name: Bilingual
    forms: list[Form]


@routes.get("/v1/markets")
@query(public=True)
def list_markets(session: Session, caller: Caller, params: Paging) -> Page[MarketSummary]:
    """The markets of this platform."""
    return queries.list_markets(session, caller, params.cursor, params.limit).map(MarketSummary.of)


@routes.post("/v1/markets")
@command(role="operator", accept=TOML, max_bytes=MAX_BYTES)
def publish_market(session: Session, caller: Caller, params: PublishMarket, body: bytes) -> PublicationView:
    """Publish a market's pack as its next version, or (``check``) only look for mistakes in it.

    The same content again changes nothing. What was made under an older version keeps that.
    """
    pack = commands.read_body(body)
    act = commands.check_pack if params.check else commands.publish_pack
    return PublicationView.of(act(session, caller, pack), checked_only=params.check)


@routes.get("/v1/markets/<market>")
@query(public=True)
def see_market(session: Session, caller: Caller, market: str, params: SeeMarket) -> MarketView:
    """A market with its attributes, vocabularies, rules and terms, as it is or as it was in a version."""
    return MarketView.of(queries.see_market(session, caller, market, params.version))


@routes.get("/v1/markets/<market>/versions")
@query(public=True)
def list_versions(session: Session, caller: Caller, market: str, params: Paging) -> Page[MarketVersionView]:
    """The versions of a market, newest first."""
    found = queries.list_versions(session, caller, market, params.cursor, params.limit)
    return found.map(MarketVersionView.of)


@routes.get("/v1/markets/<market>/schema")
@query(public=True, gives=(SCHEMA,))
def see_schema(session: Session, caller: Caller, market: str, params: SeeSchema) -> File:
    """The JSON Schema (draft 2020-12) of the attributes of a market's goods, for machines."""
    told = queries.see_market(session, caller, market, params.version)
    schema = make_schema(told.pack, told.version, params.level, list_types(told.pack, params.type))
    return File(SCHEMA, f"{market}-{told.version}-{params.level}.schema.json", msgspec.json.encode(schema))


@routes.get("/v1/markets/<market>/form")
@query(public=True)
def see_form(session: Session, caller: Caller, market: str, params: SeeForm) -> FormsView:
    """The form by which a person describes goods of a market: fields in order, with labels, help, units and choices in
    both languages, and what papers, licences and ways to trade go with it.
    """
    told = queries.see_market(session, caller, market, params.version)
    forms = [make_form(told.pack, type) for type in list_types(told.pack, params.type)]
    return FormsView(market=market, version=told.version, name=told.pack.name, forms=forms)


@routes.get("/v1/markets/<market>/template")
@query(public=True, gives=(CSV, XLSX))
def see_template(session: Session, caller: Caller, market: str, params: SeeTemplate) -> File:
    """An empty table to fill in and upload: CSV with a byte order mark, or a workbook with lists to choose from."""
    pack = queries.see_market(session, caller, market).pack
    type = find_type(pack, params.type)
    name = f"{market}-{params.type}-{params.of}.{params.format}"
    if params.format == "csv":
        return File(CSV, name, make_csv(pack, type, params.of, params.language))
    return File(XLSX, name, make_workbook(pack, type, params.of, params.language))
