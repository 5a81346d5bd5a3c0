"""Decides the weight of a disputed delivery: by a third party's ticket, or by the weight that both sides name."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import get
from chassis.problems import NotYetKnown
from chassis.values import Quantity
from services.orders.deals.amounts import work_out_by
from services.orders.deals.deliveries import find_told
from services.orders.deals.delivery import ON_THE_WAY, Delivery
from services.orders.deals.endings import go_on
from services.orders.deals.lines import open_rest
from services.orders.deals.model import Deal
from services.orders.deals.progress import Progress
from services.orders.deals.queries import find_progress
from services.orders.deals.states import State
from services.orders.deals.verdicts import rule_on


def name_weight(session: Session, caller: Caller, deal_id: str, delivery_id: str, weight: Quantity) -> Delivery:
    """One side's weight for a disputed delivery: when both say the same it is decided.

    Raises NotYourDeal, NotDisputed, WeightOutside, UnitMismatch, TooFine, NotYetKnown or NotFound.
    """
    deal = get(session, Deal, deal_id, caller)
    side = deal.side_of(caller.party_id)
    progress = find_progress(session, deal)
    delivery = find_told(session, caller, progress, delivery_id)
    if deal.state == State.DELIVERING and delivery.state in ON_THE_WAY:
        raise NotYetKnown(f"the weights of the delivery {delivery_id!r} have not been heard of yet")
    if delivery.name_weight(side, weight):
        decide(session, progress, delivery, weight, by="agreed by both sides")
    return delivery


def decide(session: Session, progress: Progress, delivery: Delivery, weight: Quantity, *, by: str) -> None:
    """A disputed weight is decided: what is above the undisputed one is settled by it."""
    deal = progress.deal
    verdict = rule_on(weight, delivery.weights, deal.terms, by=by)
    delivery.decide(verdict, work_out_by(deal.terms, verdict.settled))
    open_rest(session, progress, delivery)
    go_on(session, progress, told=deal.version)
