"""What both sides agree not to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.journeys.stories.telling import (
    COIL,
    carry_and_accept,
    ends,
    ends_with,
    ids_of,
    sign_and_pay,
    sold,
)
from tests.journeys.town import Town


def cancel(town: Town, deal: dict[str, Any], piece_ids: list[str], reason: str) -> Iterator[None]:
    """The mill proposes to cancel a part and the buyer agrees."""
    path = f"/v1/deals/{deal['id']}/cancellations"
    body = {"piece_ids": piece_ids, "reason": reason, "note": "the berth is closed"}
    proposed = town.mill.desk.post(path, body)
    yield
    town.buyer.desk.post(f"{path}/{proposed['id']}/agree")
    town.settle()
    yield


@ends_with(**sold(COIL, 3_850))
def both_agree_to_cancel_what_was_not_delivered(town: Town) -> Iterator[None]:
    deal = yield from sign_and_pay(town, 10_000, 10_000)
    first, second = ids_of(deal)
    yield from carry_and_accept(town, deal, [first], received=10_000)
    yield from cancel(town, deal, [second], "agreed")
    ends(town, deal, "completed", ("cancelled", None, "agreed"))


@ends_with()
def force_majeure_by_agreement(town: Town) -> Iterator[None]:
    deal = yield from sign_and_pay(town, 10_000, 10_000)
    yield from cancel(town, deal, ids_of(deal), "force_majeure")
    ends(town, deal, "cancelled", ("cancelled", None, "force_majeure"))


@ends_with()
def both_agree_to_cancel_before_it_is_paid(town: Town) -> Iterator[None]:
    """Of what is unpaid logistics has not heard: it ends as soon as both agree, and both deposits are released."""
    deal = town.make_signed(10_000, 10_000)
    yield
    yield from cancel(town, deal, ids_of(deal), "agreed")
    ends(town, deal, "cancelled", ("cancelled", None, "agreed"))
