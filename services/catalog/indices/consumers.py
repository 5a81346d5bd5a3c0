"""What the indices do when orders speaks of deals."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.orders import DealCancelled, DealCompleted, DealDefaulted, DealSigned, PartEnded
from services.catalog.indices import commands


def on_deal_signed(session: Session, caller: Caller, event: DealSigned) -> None:
    commands.count_deal(session, caller, event)


def on_part_ended(session: Session, caller: Caller, event: PartEnded) -> None:
    commands.take_part_away(session, caller, event)


def on_deal_completed(session: Session, caller: Caller, event: DealCompleted) -> None:
    commands.end_deal(session, caller, event.deal_id)


def on_deal_defaulted(session: Session, caller: Caller, event: DealDefaulted) -> None:
    commands.end_deal(session, caller, event.deal_id)


def on_deal_cancelled(session: Session, caller: Caller, event: DealCancelled) -> None:
    commands.end_deal(session, caller, event.deal_id)


HANDLERS = {
    DealSigned: on_deal_signed,
    PartEnded: on_part_ended,
    DealCompleted: on_deal_completed,
    DealDefaulted: on_deal_defaulted,
    DealCancelled: on_deal_cancelled,
}
