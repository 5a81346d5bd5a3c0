"""The columns of an upload of pieces, and what makes pieces of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.uploads.fields import Field, Outcome, TotalWords, Values
from chassis.values import Quantity
from services.catalog.imports.attribute_fields import check_type, label_of, list_attribute_fields, list_factors
from services.catalog.markets.pack import Column, Columns, Pack
from services.catalog.markets.template import PRODUCT_NUMBER
from services.catalog.markets.texts import read_identifier, read_number
from services.catalog.parties.queries import find_called
from services.catalog.pieces.commands import describe_pieces
from services.catalog.pieces.epc import read_epc
from services.catalog.pieces.model import Draft
from services.catalog.products.rows import Known, find_known

COLUMNS = Columns.__struct_fields__
_OPTIONAL, _WEIGHTS = ("epc",), ("net", "gross")
UNKNOWN_COMPANY = "no company is known by this name, identifier or id (a new one takes a moment)"
UNKNOWN_PRODUCT = "your company has no product with this number"
PRODUCT = Field(
    name="product_number",
    label={"zh": PRODUCT_NUMBER.zh, "en": PRODUCT_NUMBER.en},
    headings=("产品编号", "product no", "product number"),
    read=read_identifier,
    kind="identifier",
)


def list_fields(pack: Pack) -> list[Field]:
    """The columns that an upload of pieces of a market may have, in the order in which mistakes are told."""
    columns = [_make_field(pack, name, getattr(pack.columns, name)) for name in COLUMNS]
    return [*columns, *list_attribute_fields(pack, pack.attributes), PRODUCT]


def words_of_totals(pack: Pack) -> TotalWords:
    """How rows of totals begin in files of a market."""
    return TotalWords(whole=pack.totals.whole, part=pack.totals.part, counters=pack.totals.counters)


def _make_field(pack: Pack, name: str, column: Column) -> Field:
    is_weight = name in _WEIGHTS
    return Field(
        name=name,
        label=label_of(column.name),
        headings=column.headings,
        read=_read_weight(pack, column)
        if is_weight
        else read_epc
        if name == "epc"
        else partial(pack.read_column, name),
        kind="number" if is_weight else "text" if name == "warehouse" else "identifier",
        required=name not in _OPTIONAL,
        default=column.default,
        factors=list_factors(pack, pack.unit_of(name)),
        unique=name in ("number", "epc"),
        summed=is_weight,
    )


def _read_weight(pack: Pack, column: Column) -> Callable[[str], Quantity]:
    unit = pack.terms.weight_unit
    return lambda text: Quantity(read_number(text, column), unit)


class PieceRows:
    """Makes pieces of the rows of one upload."""

    def __init__(self, pack: Pack, caller: Caller | None = None) -> None:
        self._pack, self._caller = pack, caller
        self._lacks = check_type(pack)

    def check(self, values: Values) -> Iterable[tuple[str, str]]:
        """What is wrong between the cells of a row."""
        net, gross = values.get("net"), values.get("gross")
        if net is not None and gross is not None and gross.value < net.value:
            yield "gross", "is less than the net weight"
        yield from self._lacks(values)

    def store(self, session: Session, rows: Sequence[Values]) -> Outcome:
        """Make the caller's pieces, or change them."""
        assert self._caller is not None
        return store_pieces(session, self._caller, self._pack, rows)


def store_pieces(session: Session, caller: Caller, pack: Pack, rows: Sequence[Values]) -> Outcome:
    """Make pieces of rows that are right, but those whose warehouse or product is not known; numbers and tags are each in
    one row."""
    outcome = Outcome()
    found = find_called(session, {row["warehouse"] for row in rows})
    numbers = [row[PRODUCT.name] for row in rows if PRODUCT.name in row]
    products = find_known(session, caller.party_id, numbers) if numbers else {}
    drafts: list[Draft] = []
    places: list[int] = []
    for place, row in enumerate(rows):
        refusal = _find_refusal(row, found[row["warehouse"]], products)
        if refusal is not None:
            outcome.refused.append((place, *refusal))
            continue
        product = products.get(row.get(PRODUCT.name, ""))
        drafts.append(_make_draft(row, found[row["warehouse"]][0], product.id if product else None))
        places.append(place)
    done = describe_pieces(session, caller, pack, drafts)
    outcome.created, outcome.updated, outcome.unchanged = done.created, done.updated, done.unchanged
    outcome.refused += [(places[place], name, reason) for place, name, reason in done.refused]
    return outcome


def _find_refusal(row: Values, warehouses: Sequence[str], products: Mapping[str, Known]) -> tuple[str, str] | None:
    if len(warehouses) > 1:
        return "warehouse", f"is the name of several companies: write one of {', '.join(warehouses)}"
    if not warehouses:
        return "warehouse", UNKNOWN_COMPANY
    return None if PRODUCT.name not in row or row[PRODUCT.name] in products else (PRODUCT.name, UNKNOWN_PRODUCT)


def _make_draft(row: Values, warehouse_id: str, product_id: str | None) -> Draft:
    return Draft(
        number=row["number"],
        attributes={name: value for name, value in row.items() if name not in _NO_ATTRIBUTES},
        net=row["net"],
        gross=row["gross"],
        warehouse_id=warehouse_id,
        epc=row.get("epc"),
        product_id=product_id,
    )


_NO_ATTRIBUTES = frozenset({*COLUMNS, PRODUCT.name})
