"""Price lists as a kind of upload."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.uploads.fields import Field, Importer, Options, Outcome, Values
from chassis.uploads.reasons import Words
from services.orders.markets.queries import find_market
from services.orders.offers.bulk import list_offers
from services.orders.offers.price_reasons import WORDS
from services.orders.offers.price_rows import FIELDS, check_row


class PriceList:
    """The rows of one price list, which is of one market."""

    def __init__(self, caller: Caller, market: str) -> None:
        self._caller, self._market = caller, market

    def check(self, values: Values) -> Iterable[tuple[str, str]]:
        """What is wrong between the cells of a row, by the name of a field."""
        return check_row(values)

    def store(self, session: Session, rows: Sequence[Values]) -> Outcome:
        """Take rows in whose cells are right."""
        return list_offers(session, self._caller, self._market, rows)


def _find_fields(session: Session, caller: Caller, options: Options) -> list[Field]:
    find_market(session, options.market)
    return FIELDS


def _open(session: Session, caller: Caller, options: Options) -> PriceList:
    return PriceList(caller, options.market)


def _find_words(session: Session, options: Options) -> Words:
    return WORDS


OFFERS = Importer(kind="offers", role="seller", fields=_find_fields, open=_open, words=_find_words)
