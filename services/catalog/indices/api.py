"""Price indices over HTTP, for everybody: figures, their history, and what a price formula comes to."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import File, Params, View, query
from chassis.values import Exact, Quantity, UnitPrice
from services.catalog.indices import queries
from services.catalog.indices.chart import Point, draw_chart
from services.catalog.indices.method import price_of, quantity_of
from services.catalog.indices.model import IndexDay, IndexRevision
from services.catalog.indices.queries import FormulaPrice, Known, Series
from services.catalog.markets.index_rules import IndexRule
from services.catalog.markets.words import Bilingual

routes = Blueprint("indices", __name__)
_EMPTY = {"zh": "该期间未发布价格", "en": "Nothing was published in this time"}


class SeriesParams(Params):
    """From which working day to which, both included; the last 90 days without them."""

    first: date | None = msgspec.field(name="from", default=None)
    last: date | None = msgspec.field(name="to", default=None)


class ChartParams(SeriesParams):
    """Which days, and in which language the picture is labelled."""

    language: Literal["zh", "en"] = "zh"


class FormulaParams(Params):
    """The last figure up to ``day`` (without it the last of all) and what is added to it; a discount is below zero."""

    day: date | None = None
    premium: Annotated[Exact, Meta(description="In the index's currency and unit")] = msgspec.field(
        default_factory=lambda: Exact(0)
    )


class Figure(View):
    """An index of a working day. ``price`` is null while it is withheld: too few deals or independent parties.

    ``buyers`` and ``sellers`` count controlling groups. A provisional figure may still be corrected: ``revision`` counts that.
    """

    day: date
    state: Literal["provisional", "final", "withheld"]
    price: UnitPrice | None
    deals: int
    volume: Quantity
    buyers: int
    sellers: int
    method: int
    revision: int
    changed_at: datetime | None

    @classmethod
    def of(cls, day: date, rule: IndexRule, found: IndexDay | IndexRevision | None) -> Figure:
        """A day as it stands, or one that no deal counts for."""
        if found is None:
            nothing = Quantity.zero(rule.unit)
            return cls(day=day, state="withheld", price=None, deals=0, volume=nothing, buyers=0, sellers=0,
                       method=rule.method, revision=0, changed_at=None)  # fmt: skip
        return cls(
            day=day,
            state=found.standing,  # type: ignore[arg-type]
            price=None if found.price is None else price_of(rule, found.price),
            deals=found.deals,
            volume=quantity_of(rule, found.volume),
            buyers=found.buyers,
            sellers=found.sellers,
            method=found.method,
            revision=found.revision,
            changed_at=found.at if isinstance(found, IndexRevision) else found.changed_at,
        )


class IndexView(View):
    """A price index: what it is of, its rule in force, and its last published figure."""

    code: str
    market: str
    name: Bilingual
    rule: IndexRule
    latest: Figure | None

    @classmethod
    def of(cls, known: Known) -> IndexView:
        """The view of an index."""
        latest = Figure.of(known.latest.day, known.rule, known.latest) if known.latest else None
        return cls(code=known.rule.code, market=known.market, name=known.rule.label, rule=known.rule, latest=latest)


class Indices(View):
    """Every index, by code."""

    items: list[IndexView]


class SeriesView(View):
    """An index over time, one figure for every working day."""

    code: str
    name: Bilingual
    tax_basis: str
    items: list[Figure]

    @classmethod
    def of(cls, series: Series) -> SeriesView:
        """The view of a series."""
        rule = series.rule
        figures = [Figure.of(day, rule, found) for day, found in series.days]
        return cls(code=rule.code, name=rule.label, tax_basis=rule.tax_basis, items=figures)


class RevisionView(View):
    """A figure as it was published. ``reason`` is first, deal_added, deal_removed, deals_changed or deals_ended."""

    figure: Figure
    reason: str


class Revisions(View):
    """Every figure that was published for a day, oldest first."""

    items: list[RevisionView]


class FormulaView(View):
    """What a formula comes to, and the figure that it took."""

    price: UnitPrice
    tax_basis: str
    index: Figure

    @classmethod
    def of(cls, found: FormulaPrice, rule: IndexRule) -> FormulaView:
        """The view of a price by formula."""
        return cls(price=found.price, tax_basis=rule.tax_basis, index=Figure.of(found.index.day, rule, found.index))


@routes.get("/v1/indices")
@query(public=True)
def list_indices(session: Session, caller: Caller) -> Indices:
    """Every price index with its last published figure."""
    return Indices(items=[IndexView.of(known) for known in queries.list_indices(session, caller)])


@routes.get("/v1/indices/<code>")
@query(public=True)
def see_index(session: Session, caller: Caller, code: str) -> IndexView:
    """A price index with its method and its last published figure."""
    return IndexView.of(queries.see_index(session, caller, code))


@routes.get("/v1/indices/<code>/series")
@query(public=True)
def see_series(session: Session, caller: Caller, code: str, params: SeriesParams) -> SeriesView:
    """An index over time, with the days on which nothing could be published."""
    return SeriesView.of(queries.see_series(session, caller, code, params.first, params.last))


@routes.get("/v1/indices/<code>/series.csv")
@query(public=True, gives=("text/csv",))
def save_series(session: Session, caller: Caller, code: str, params: SeriesParams) -> File:
    """An index over time as a table."""
    series = queries.see_series(session, caller, code, params.first, params.last)
    return File("text/csv", f"{code}.csv", _write_csv(SeriesView.of(series), series.rule))


@routes.get("/v1/indices/<code>/series.svg")
@query(public=True, gives=("image/svg+xml",))
def draw_series(session: Session, caller: Caller, code: str, params: ChartParams) -> File:
    """An index over time as a picture: a full dot is final, a hollow one provisional, a gap was not published."""
    series = queries.see_series(session, caller, code, params.first, params.last)
    rule = series.rule
    points = [
        Point(day, found.price, found.volume, found.standing == "final") if found else Point(day, None, Exact(0), False)
        for day, found in series.days
    ]
    title = getattr(rule.label, params.language)
    unit = f"{rule.currency}/{rule.unit} · {rule.tax_basis}"
    picture = draw_chart(title, unit, points, empty=_EMPTY[params.language])
    return File("image/svg+xml", f"{code}.svg", picture.encode())


@routes.get("/v1/indices/<code>/days/<day>")
@query(public=True)
def list_revisions(session: Session, caller: Caller, code: str, day: str) -> Revisions:
    """What was published for a day, with each correction and its reason."""
    found, rule = queries.list_revisions(session, caller, code, day)
    return Revisions(
        items=[RevisionView(figure=Figure.of(found.day, rule, each), reason=each.reason) for each in found.revisions]
    )


@routes.get("/v1/indices/<code>/price")
@query(public=True)
def see_price(session: Session, caller: Caller, code: str, params: FormulaParams) -> FormulaView:
    """The price that "index + premium" comes to."""
    found = queries.see_price(session, caller, code, params.day, params.premium)
    return FormulaView.of(found, found.rule)


def _write_csv(series: SeriesView, rule: IndexRule) -> bytes:
    """With a byte order mark, without which spreadsheets take Chinese for something else."""
    text = io.StringIO()
    rows = csv.writer(text)
    heading = ("day", "state", "price", "currency", "unit", "tax_basis", "deals", "volume", "buyers", "sellers")
    rows.writerow((*heading, "method", "revision"))
    for figure in series.items:
        price = format(figure.price.value, "f") if figure.price else ""
        said = (figure.deals, format(figure.volume.value, "f"), figure.buyers, figure.sellers, figure.method)
        row = (figure.day.isoformat(), figure.state, price, rule.currency, rule.unit, rule.tax_basis)
        rows.writerow((*row, *said, figure.revision))
    return b"\xef\xbb\xbf" + text.getvalue().encode()
