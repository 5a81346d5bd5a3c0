"""How far a deal has come: what is delivered, on trucks and ended, what that leaves open, and what each part is worth."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chassis.problems import NotFound
from chassis.values import Money, Quantity, total
from events.orders import Side
from services.orders.deals.amounts import forfeit_of, share_up_to, work_out_by
from services.orders.deals.delivery import DELIVERED, UNDER_WAY, UNSETTLED, Delivery, DeliveryState
from services.orders.deals.ended import EndedPart
from services.orders.deals.model import Deal
from services.orders.deals.parts import Part, take_away


class Progress(msgspec.Struct, frozen=True):
    """A deal, whose lock is held, with all its deliveries and the parts of it that ended."""

    deal: Deal
    deliveries: list[Delivery]
    ended: list[EndedPart]

    def delivery(self, id: str) -> Delivery:
        """One of its deliveries. Raises NotFound."""
        found = next((each for each in self.deliveries if each.id == id), None)
        if found is None:
            raise NotFound(f"no delivery {id!r} in this deal")
        return found

    @property
    def delivered(self) -> list[Delivery]:
        """Those that were accepted, whether or not their money has moved."""
        return [each for each in self.deliveries if each.state in DELIVERED]

    @property
    def unpaid(self) -> Part:
        """What can still be paid for."""
        gone = [each.part for each in self.ended if not each.is_paid]
        return take_away(self.deal.whole, [self.deal.paid, *gone], self.deal.pieces)

    @property
    def deliverable(self) -> Part:
        """What is paid and was not ended: on trucks, delivered or neither."""
        return self._take_away(each.part for each in self.ended if each.is_paid)

    @property
    def undelivered(self) -> Part:
        """What is paid and neither delivered nor ended."""
        return self._take_away(self._resolved())

    @property
    def waiting(self) -> Part:
        """What is undelivered and on no truck, and not being taken back either."""
        moving = [each.part for each in self.deliveries if each.state in UNDER_WAY]
        recalled = [self.deal.recalled] if self.deal.recalled else []
        return self._take_away([*self._resolved(), *moving, *recalled])

    @property
    def is_over(self) -> bool:
        """Whether nothing of the deal is left to pay or to deliver."""
        moving = any(each.state in UNDER_WAY for each in self.deliveries)
        return not (moving or self.unpaid or self.undelivered)

    @property
    def is_settled(self) -> bool:
        """Whether the money of all that was delivered has moved."""
        return not any(each.state in UNSETTLED for each in self.deliveries)

    @property
    def has_dispute(self) -> bool:
        """Whether the weight of some delivery is still to be decided."""
        return any(each.state == DeliveryState.DISPUTED for each in self.deliveries)

    def covered_by(self, part: Part) -> Quantity:
        """How much of what is undelivered a part covers: by weight it may be more than that."""
        return part.quantity if self.deal.pieces else min(part.quantity, self.undelivered.quantity)

    def value_of(self, part: Part) -> Money:
        """The share of the deal's gross that a part takes which is delivered or ends now, before it does.

        By weight that is the share up to and with it, less what the parts before it took; the last one takes the rest.
        """
        deal = self.deal
        if deal.pieces:
            return deal.worth_of(part.piece_ids)
        before = self._worth(self.delivered) + total(
            [each.value for each in self.ended if each.is_paid], deal.gross.currency
        )
        left = self._take_away([*self._resolved(), part])
        share = min(share_up_to(deal.gross, deal.paid.quantity - left.quantity, deal.quantity), deal.in_escrow)
        return max((share if left else deal.in_escrow) - before, Money.zero(deal.gross.currency))

    def value_unpaid(self, part: Part) -> Money:
        """The value of what was not paid for: by weight, what is left of the gross."""
        return self.deal.worth_of(part.piece_ids) if self.deal.pieces else self.deal.gross - self.deal.in_escrow

    def forfeited_by(self, side: Side) -> Money:
        """What a side has forfeited on parts so far."""
        return total([each.forfeit for each in self.ended if each.by == side], self.deal.gross.currency)

    def forfeit_of(self, value: Money, by: Side) -> Money:
        """What a side forfeits that breaks a part of some value: no more than is left of its deposit."""
        deal, terms = self.deal, self.deal.terms
        deposit = deal.buyer_deposit if by == "buyer" else deal.seller_deposit
        percent = terms.buyer_deposit_percent if by == "buyer" else terms.seller_deposit_percent
        held = deposit - self.forfeited_by(by)
        return forfeit_of(value, kind=terms.deposit_kind, held=held, percent=percent, penalty_rate=deal.penalty_rate)

    def _worth(self, deliveries: Iterable[Delivery]) -> Money:
        """The value of deliveries; one that was accepted before values were kept has its quantity's."""
        terms = self.deal.terms
        known = [work_out_by(terms, each.quantity).gross if each.value is None else each.value for each in deliveries]
        return total(known, self.deal.gross.currency)

    def _resolved(self) -> list[Part]:
        return [each.fulfilled for each in self.delivered] + [each.part for each in self.ended if each.is_paid]

    def _take_away(self, gone: Iterable[Part]) -> Part:
        return take_away(self.deal.paid, gone, self.deal.pieces)
