"""Gathers what records are written from: the events that a caller may see of a lot, a product or a period."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.problems import Invalid
from chassis.uploads.writers import MEDIA_TYPES, Format, write_table
from chassis.wire import Streamed
from services.logistics.epcis.described import find_attributes
from services.logistics.epcis.named_events import list_keys_between
from services.logistics.records import dscsa, fmd, fsma
from services.logistics.records.lines import list_lines, product_of, write_product
from services.logistics.trace.graph import END, Direction, Role
from services.logistics.trace.known import Known
from services.logistics.trace.loading import run_walks
from services.logistics.trace.naming import find_roots, name_kind
from services.logistics.trace.places import find_places

_YEAR = timedelta(days=366)
KEPT_FOOD, KEPT_DSCSA, KEPT_FMD = 2 * _YEAR, 6 * _YEAR, 5 * _YEAR
"""So long records are kept, which is the period that is meant where none is said: of food two years (21 CFR 1.1455(d)), of the
DSCSA six (21 USC 360eee-1(b)(1)), of packages in the EU five at least (Delegated Regulation (EU) 2016/161, article 33).
"""
MOST_ROOTS = 20_000
_DEPTH = 50
_BOTH = (Direction.BACK, Direction.FORWARD)


class TooManyThings(Invalid):
    """The period has more things than a table can be made of: name a lot or a product, or shorten it."""


def export_fsma(
    session: Session, caller: Caller, id: str | None, *, since: datetime | None, until: datetime | None, format: Format
) -> Streamed:
    """The tracking events of a lot with what it was made from and what was made of it, of a product, or of a period.

    Raises NotAName, NotFound or TooManyThings.
    """
    since, until = _period(since, until, KEPT_FOOD)
    known, things = _gather(session, caller, id, since, until)
    sheet = fsma.Sheet(known, find_places(session, known.facts.values()), _describe_products(session, known))
    rows = list(fsma.write_rows(sheet, list_lines(known, things, since=since, until=until)))
    return _write("fsma-204", fsma.HEADINGS, rows, format, fsma.NUMBERS)


def export_dscsa(
    session: Session, caller: Caller, id: str | None, *, since: datetime | None, until: datetime | None, format: Format
) -> Streamed:
    """The changes of hands of serialised packages, with the transaction information of each.

    Raises NotAName, NotFound or TooManyThings.
    """
    since, until = _period(since, until, KEPT_DSCSA)
    known, things = _gather(session, caller, id, since, until)
    chest = dscsa.Chest(known, find_places(session, known.facts.values()), _describe_products(session, known))
    rows = list(dscsa.write_rows(chest, things, since=since, until=until))
    return _write("dscsa", dscsa.HEADINGS, rows, format, [False] * len(dscsa.HEADINGS))


def export_fmd(
    session: Session, caller: Caller, id: str | None, *, since: datetime | None, until: datetime | None, format: Format
) -> Streamed:
    """Which packages of medicine are decommissioned, and what does not fit. Raises NotAName, NotFound or TooManyThings."""
    since, until = _period(since, until, KEPT_FMD)
    known, things = _gather(session, caller, id, since, until)
    rows = list(fmd.write_rows(known, things, since=since, until=until))
    return _write("fmd", fmd.HEADINGS, rows, format, [False] * len(fmd.HEADINGS))


def _period(since: datetime | None, until: datetime | None, kept: timedelta) -> tuple[datetime, datetime]:
    """As given; without a beginning as long as records are kept, without an end all there is."""
    return since or min(clock.now(), until or END) - kept, until or END


def _gather(
    session: Session, caller: Caller, id: str | None, since: datetime, until: datetime
) -> tuple[Known, list[str]]:
    roots = [] if id is None else find_roots(session, caller, id)
    directions = _BOTH
    if id is None or name_kind(roots[0]) == "class":
        below = roots[0] if roots else None
        found = list_keys_between(session, caller, below=below, since=since, until=until, limit=MOST_ROOTS + 1)
        if len(found) > MOST_ROOTS:
            raise TooManyThings(f"there are more than {MOST_ROOTS}", field="$.since")
        roots, directions = [*roots, *found], (Direction.BACK,)
    known, walks = run_walks(
        session, caller, roots, directions=directions, at=None if until == END else until, depth=_DEPTH
    )
    products = {node.id for walk in walks for node in walk.nodes.values() if node.role in (Role.ROOT, Role.PRODUCT)}
    return known, [name for name in products if name in known.of and not known.children(name)]


def _describe_products(session: Session, known: Known) -> dict[tuple[str, str], dict[str, str]]:
    """(Company, GTIN) to what the company says of the product."""
    wanted = {
        (fact.owner_id, write_product(gtin))
        for fact in known.facts.values()
        for name in fact.named
        if (gtin := product_of(name)) is not None
    }
    found = find_attributes(session, wanted)
    return {(owner, product_of(name) or ""): told for (owner, name), told in found.items()}


def _write(
    name: str, headings: Iterable[str], rows: list[list[str]], format: Format, numbers: Iterable[bool]
) -> Streamed:
    titles, are_numbers = list(headings), list(numbers)
    return Streamed(
        MEDIA_TYPES[format], f"{name}.{format}", lambda look: write_table(format, titles, rows, numbers=are_numbers)
    )
