"""Random deals with what becomes of them, as the events and requests that settlement is to live through."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from chassis.values import Exact, Money, Quantity, UnitPrice, total
from events.orders import DealPiece, DealSigned, DeliveryAccepted, PartEnded, TaxBasis, Terms, WeighingRule
from services.orders.deals.amounts import forfeit_of, share_among, share_up_to, withhold, work_out_by
from services.orders.deals.weighing import Weights, bound, is_disputed, settle_quantity
from services.settlement.escrows.model import Portion
from services.settlement.escrows.standing import price_quantity
from tests.unit.orders.examples import NOW, make_frozen_terms

RULES: tuple[WeighingRule, ...] = (
    "LABEL", "THEORETICAL", "SELLER_WEIGHT", "BUYER_WEIGHT", "THIRD_PARTY", "WITHIN_TOL_SELLER_ELSE_BUYER", "EXCESS_ONLY",
)  # fmt: skip
FATES = ("delivered", "delivered", "delivered", "delivered", "seller", "cancelled", "unpaid")


def kilograms(value: int | Decimal) -> Quantity:
    """A weight."""
    return Quantity(Exact(value), "KGM")


@dataclass(frozen=True)
class Pay:
    """The buyer pays for a portion."""

    portion: Portion


@dataclass(frozen=True)
class Deadline:
    """The time to pay is over, and something was not paid."""


Step = Pay | Deadline | DeliveryAccepted | PartEnded


@dataclass
class Play:
    """A deal as it was signed, and what happens to it in order. ``pays_supplements`` says which of them the buyer pays."""

    signed: DealSigned
    buyer_deposit: Money
    seller_deposit: Money
    fee_rate: Exact
    forfeit_fee_rate: Exact
    tax_basis: TaxBasis
    steps: list[Step] = field(default_factory=list)
    pays_supplements: bool = True

    @property
    def deliveries(self) -> int:
        """How many deliveries there are, whatever their stages."""
        return len({step.delivery_id for step in self.steps if isinstance(step, DeliveryAccepted)})


class Playwright:
    """Writes one play. What orders would say of parts it works out by the rules of orders."""

    def __init__(self, chance: random.Random, number: int) -> None:
        self.chance, self.deal_id = chance, f"deal_{number}"
        self.terms = self._make_terms()
        self.penalty_rate = chance.choice([Exact("0.2"), Exact("0.05"), Exact("1")])
        self.by_weight = chance.random() < 0.25
        self.labels = [self._weigh_label() for _ in range(chance.randint(1, 6))]
        self.whole = total_weight(self.labels)
        self.gross = work_out_by(self.terms, self.whole).gross
        bare = [
            DealPiece(piece_id=f"{self.deal_id}_{n}", number=str(n), net=label) for n, label in enumerate(self.labels)
        ]
        self.pieces = share_among(self.gross, bare, self.terms) if self.gross else []
        self.deposits = {
            "buyer": self.gross.percent(self.terms.buyer_deposit_percent),
            "seller": self.gross.percent(self.terms.seller_deposit_percent),
        }
        self.lost = {"buyer": 0, "seller": 0}
        nothing = Money.zero("CNY")
        self.in_escrow, self.before = nothing, nothing
        self.paid, self.resolved = kilograms(0), kilograms(0)

    def _make_terms(self) -> Terms:
        chance = self.chance
        return make_frozen_terms(
            price=UnitPrice(
                Exact(Decimal(chance.randrange(1, 10**6)) / 100), "CNY", chance.choice(["TNE", "TNE", "KGM"])
            ),
            tax_basis=chance.choice(["tax_included", "tax_excluded"]),
            tax_rate=chance.choice([Exact("0.13"), Exact("0.09"), Exact("0")]),
            buyer_deposit_percent=chance.choice([Exact("0"), Exact("10"), Exact("20"), Exact("7.5")]),
            seller_deposit_percent=chance.choice([Exact("0"), Exact("5"), Exact("20")]),
            deposit_kind=chance.choice(["performance_bond", "earnest"]),
            deposit_use=chance.choice(["counts", "held"]),
            release=chance.choice(["settlement", "settlement", "invoice"]),
            weighing_rule=chance.choice(RULES),
            tolerance=chance.choice([Exact("0"), Exact("0.003"), Exact("0.01")]),
            dispute_limit=chance.choice([None, Exact("0.01"), Exact("0.02")]),
        )

    def _weigh_label(self) -> Quantity:
        chance = self.chance
        return kilograms(
            chance.choice([chance.randrange(1, 50), chance.randrange(1, 30) * 1000, chance.randrange(10**4, 10**5)])
        )

    def write(self) -> Play:
        """The whole play."""
        chance = self.chance
        play = Play(
            signed=DealSigned(
                deal_id=self.deal_id,
                market="steel",
                buyer_id="buyer",
                seller_id="mill",
                gross=self.gross,
                due_at=self._due_at(),
                pay=timedelta(days=1),
                pieces=[] if self.by_weight else self.pieces,
                quantity=self.whole,
                deposit_use=self.terms.deposit_use,
                release=self.terms.release,
                supplement=timedelta(days=3),
            ),
            buyer_deposit=self.deposits["buyer"],
            seller_deposit=self.deposits["seller"],
            fee_rate=chance.choice([Exact("0"), Exact("0.001"), Exact("0.00125"), Exact("0.5")]),
            forfeit_fee_rate=chance.choice([Exact("0"), Exact("0.1"), Exact("0.5")]),
            tax_basis=self.terms.tax_basis,
            pays_supplements=chance.random() < 0.6,
        )
        play.steps = list(self._happen())
        return play

    def _due_at(self) -> datetime:
        return NOW + timedelta(days=1)

    def _happen(self) -> Iterator[Step]:
        """Payments and what they let happen, one through the other; then the deadline and what was never paid."""
        fates = [(part, self.chance.choice(FATES)) for part in self._divide()]
        paid = [part for part, fate in fates if fate != "unpaid"]
        unpaid = [place for part, fate in fates if fate == "unpaid" for place in part]
        waiting: list[list[tuple[list[int], str]]] = [[(part, fate)] for part, fate in fates if fate != "unpaid"]
        self.chance.shuffle(waiting)
        begun: list[tuple[list[int], str]] = []
        if paid and not unpaid and self.chance.random() < 0.5:
            yield self._pay([place for part in paid for place in part], is_all=True)
            begun, waiting = [each for group in waiting for each in group], []
        while waiting or begun:
            if waiting and (not begun or self.chance.random() < 0.5):
                (group,) = waiting.pop()
                yield self._pay(group[0], is_all=False)
                begun.append(group)
            else:
                part, fate = begun.pop(self.chance.randrange(len(begun)))
                yield from self._resolve(part, fate, is_last=not begun and not waiting)
        if unpaid:
            yield Deadline()
            yield self._end(unpaid, "buyer", is_paid=False, value=self._value_unpaid(unpaid))

    def _divide(self) -> list[list[int]]:
        places = list(range(len(self.labels)))
        self.chance.shuffle(places)
        cuts = (
            sorted(self.chance.sample(range(1, len(places)), self.chance.randrange(len(places)))) if places[1:] else []
        )
        return [places[start:end] for start, end in zip([0, *cuts], [*cuts, len(places)], strict=True)]

    def _pay(self, part: list[int], *, is_all: bool) -> Pay:
        weight = total_weight(self.labels[place] for place in part)
        if self.by_weight:
            left = self.whole - self.paid
            cost = price_quantity(self.gross, weight, paid=self.paid, whole=self.whole)
            self.in_escrow = self.gross if weight == left else self.in_escrow + cost
        else:
            self.in_escrow += self._worth(part)
        self.paid += weight
        if is_all:
            return Pay(Portion())
        return Pay(Portion(quantity=weight) if self.by_weight else Portion(piece_ids=self._ids(part)))

    def _worth(self, part: list[int]) -> Money:
        return total([piece.gross for place in part if (piece := self.pieces[place]).gross], "CNY")

    def _ids(self, part: list[int]) -> list[str]:
        return [self.pieces[place].piece_id for place in part]

    def _value(self, part: list[int], weight: Quantity) -> Money:
        """The share of the gross that falls to a paid part, as orders works it out."""
        if not self.by_weight:
            return self._worth(part)
        left = self.paid - self.resolved - weight
        share = min(share_up_to(self.gross, self.paid - left, self.whole), self.in_escrow) if left else self.in_escrow
        value = max(share - self.before, Money.zero("CNY"))
        self.resolved += weight
        self.before += value
        return value

    def _value_unpaid(self, part: list[int]) -> Money:
        return self.gross - self.in_escrow if self.by_weight else self._worth(part)

    def _resolve(self, part: list[int], fate: str, *, is_last: bool) -> Iterator[Step]:
        weight = total_weight(self.labels[place] for place in part)
        value = self._value(part, weight)
        if fate == "delivered":
            yield from self._deliver(part, weight, value, is_last=is_last)
        else:
            yield self._end(part, "seller" if fate == "seller" else None, is_paid=True, value=value)

    def _end(self, part: list[int], by: Any, *, is_paid: bool, value: Money) -> PartEnded:
        return PartEnded(
            deal_id=self.deal_id,
            part_id=f"{self.deal_id}_part_{part[0]}",
            by=by,
            piece_ids=[] if self.by_weight else self._ids(part),
            quantity=total_weight(self.labels[place] for place in part),
            value=value,
            is_paid=is_paid,
            forfeit=self._forfeit(by, value) if by else Money.zero("CNY"),
            reason="agreed" if by is None else "not_delivered",
        )

    def _forfeit(self, by: str, value: Money) -> Money:
        terms = self.terms
        forfeit = forfeit_of(
            value,
            kind=terms.deposit_kind,
            held=self.deposits[by] - Money(self.lost[by], "CNY"),
            percent=terms.buyer_deposit_percent if by == "buyer" else terms.seller_deposit_percent,
            penalty_rate=self.penalty_rate,
        )
        self.lost[by] += forfeit.amount
        return forfeit

    def _deliver(self, part: list[int], label: Quantity, value: Money, *, is_last: bool) -> Iterator[DeliveryAccepted]:
        weights = self._weigh(label)
        id = f"{self.deal_id}_delivery_{part[0]}"
        if not is_disputed(self.terms.weighing_rule, self.terms.dispute_limit, weights):
            settled = settle_quantity(self.terms.weighing_rule, self.terms.tolerance, weights)
            yield self._accept(id, "whole", weights, settled, work_out_by(self.terms, settled), value, is_last=is_last)
            return
        least, most = sorted((weights.loaded, weights.received))
        lower, upper = work_out_by(self.terms, least), work_out_by(self.terms, most)
        withheld = withhold(value, least=lower.gross, most=upper.gross)
        yield self._accept(id, "undisputed", weights, least, lower, value - withheld, is_last=is_last)
        decided = bound(kilograms(self.chance.randint(int(least.value), int(most.value))), weights)
        rest = work_out_by(self.terms, decided) - lower
        yield self._accept(id, "decided", weights, decided - least, rest, withheld, is_last=is_last)

    def _weigh(self, label: Quantity) -> Weights:
        """Weights around the label; some lie exactly at the tolerance, or a kilogram beside it."""
        chance, limit = self.chance, self.terms.tolerance * label.value
        loaded = kilograms(label.value + chance.choice([0, 0, chance.randint(-5, 5)])) if label.value > 5 else label
        edge = int(self.terms.tolerance * loaded.value) if limit else 0
        off = chance.choice([0, edge, -edge, edge + 1, -edge - 1, chance.randint(-400, 400), int(loaded.value) // 40])
        received = kilograms(max(loaded.value + off, Decimal(0)))
        third = kilograms(max(loaded.value + chance.randint(-20, 20), Decimal(0)))
        return Weights(
            label=label,
            loaded=loaded,
            received=received,
            third_party=third if self.terms.weighing_rule == "THIRD_PARTY" else None,
        )

    def _accept(
        self, id: str, stage: Any, weights: Weights, settled: Quantity, amounts: Any, value: Money, *, is_last: bool
    ) -> DeliveryAccepted:
        return DeliveryAccepted(
            deal_id=self.deal_id,
            delivery_id=id,
            loaded=weights.loaded,
            received=weights.received,
            third_party=weights.third_party,
            settled=settled,
            price=self.terms.price,
            tax_rate=self.terms.tax_rate,
            net=amounts.net,
            tax=amounts.tax,
            gross=amounts.gross,
            is_last=is_last,
            value=value,
            stage=stage,
            rule=self.terms.weighing_rule,
            reason=None,
        )


def total_weight(parts: Any) -> Quantity:
    """The sum of weights."""
    return sum(parts, kilograms(0))


def write_plays(seed: int, deliveries: int) -> list[Play]:
    """As many plays as it takes for so many deliveries; a deal that is worth nothing is none."""
    chance, plays, count = random.Random(seed), [], 0
    while count < deliveries:
        writer = Playwright(chance, len(plays))
        if writer.gross:
            plays.append(writer.write())
            count += plays[-1].deliveries
    return plays
