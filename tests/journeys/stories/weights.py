"""What the scales say: tolerance, disputes, third parties, wrong tickets, and more than was paid for."""

from __future__ import annotations

from collections.abc import Iterator

from tests.journeys.stories.telling import (
    GROSS,
    carry,
    deliver_all,
    ends,
    ends_with,
    ids_of,
    sign_and_pay,
    sold,
)
from tests.journeys.town import Town


def _at_the_edge(received: int, gross: int, fee: int) -> None:
    """R − D at 3 ‰ of 20 t, which is 60 kg, and one kilogram either side."""

    def play(town: Town) -> Iterator[None]:
        deal, _ = yield from deliver_all(town, received, deposit_use="held")
        ends(town, deal, "completed")

    play.__name__ = f"the_buyer_weighs_{received}_kg"
    ends_with(**sold(gross, fee))(play)


_at_the_edge(19_941, GROSS, 7_700)
_at_the_edge(19_940, GROSS, 7_700)
_at_the_edge(19_939, 7_676_515, 7_677)
_at_the_edge(20_059, GROSS, 7_700)
_at_the_edge(20_060, GROSS, 7_700)
_at_the_edge(20_061, 7_723_485, 7_723)


@ends_with(**sold(7_661_500, 7_623 + 39))
def a_disputed_weight_is_agreed(town: Town) -> Iterator[None]:
    """1 % apart: 19.8 t are paid at once, the other 200 kg wait until both sides name the same weight, 19.9 t."""
    deal, delivery = yield from deliver_all(town, 19_800, dispute_limit="0.005")
    assert town.balance("buyer", "escrow") == GROSS - 7_623_000
    path = f"/v1/deals/{deal['id']}/deliveries/{delivery['id']}/agreed-weight"
    for role, weight in (("mill", "19950"), ("buyer", "19900"), ("mill", "19900")):
        town.companies[role].desk.post(path, {"weight": {"value": weight, "unit": "KGM"}})
        town.settle()
        yield
    ends(town, deal, "completed")


@ends_with(**sold(7_646_100, 7_623 + 23))
def a_third_party_decides_a_disputed_weight(town: Town) -> Iterator[None]:
    weigher = town.warehouse.party_id
    deal, delivery = yield from deliver_all(town, 19_800, dispute_limit="0.005", weigher_id=weigher)
    town.weigh(delivery["id"], "third_party", 19_860, role="warehouse")
    yield
    ends(town, deal, "completed")


@ends_with(**sold(7_696_150, 7_696))
def a_third_party_weighs_for_both(town: Town) -> Iterator[None]:
    """By the offer's rule no other scale counts: 19.99 t."""
    weigher = town.warehouse.party_id
    deal = yield from sign_and_pay(town, weighing_rule="THIRD_PARTY", weigher_id=weigher)
    delivery = yield from carry(town, deal, ids_of(deal), received=None)
    town.weigh(delivery["id"], "third_party", 19_990, role="warehouse")
    yield
    town.accept(deal["id"], delivery["id"])
    ends(town, deal, "completed")


@ends_with(**sold(7_700_000 - 20 * 3_85, 7_692))
def only_the_excess_is_the_sellers_loss(town: Town) -> Iterator[None]:
    """80 kg less arrive; 60 kg are the tolerance, 20 kg are not paid."""
    deal, _ = yield from deliver_all(town, 19_920, weighing_rule="EXCESS_ONLY")
    ends(town, deal, "completed")


@ends_with(**sold(7_623_000, 7_623))
def a_wrong_ticket_is_corrected_by_both(town: Town) -> Iterator[None]:
    """The buyer's 19,980 kg were a slip: with both signatures it weighs 19,800 kg, beyond tolerance."""
    deal = yield from sign_and_pay(town)
    delivery = yield from carry(town, deal, ids_of(deal), received=19_980)
    path = f"/v1/deliveries/{delivery['id']}/tickets"
    (wrong,) = [ticket for ticket in town.delivery(delivery["id"])["tickets"] if ticket["end"] == "receiving"]
    better = town.weigh(delivery["id"], "receiving", 19_800, replaces=wrong["id"])
    yield
    town.mill.desk.post(f"{path}/{better['id']}/sign")
    town.settle()
    yield
    town.accept(deal["id"], delivery["id"])
    ends(town, deal, "completed")


@ends_with(**sold(7_738_500, 7_700 + 39))
def it_is_heavier_and_the_buyer_pays_the_rest(town: Town) -> Iterator[None]:
    deal, _ = yield from deliver_all(town, 20_100)
    (owed,) = town.buyer.desk.every("/v1/supplements", deal_id=deal["id"])
    assert (owed["state"], owed["amount"]["amount"]) == ("awaiting", 38_500)
    yield
    town.buyer.desk.post(f"/v1/supplements/{owed['id']}/pay")
    town.settle()
    ends(town, deal, "completed")


@ends_with(**sold(GROSS, 7_700))
def it_is_heavier_and_the_buyer_does_not_pay(town: Town) -> Iterator[None]:
    deal, _ = yield from deliver_all(town, 20_100)
    town.let_pass(days=3, seconds=1)
    yield
    ends(town, deal, "completed", ("defaulted", "buyer", "supplement_not_paid"))


@ends_with(**sold(7_738_500, 7_739))
def it_is_heavier_and_the_deposit_covers_it(town: Town) -> Iterator[None]:
    deal, _ = yield from deliver_all(town, 20_100, deposit_use="held")
    ends(town, deal, "completed")
