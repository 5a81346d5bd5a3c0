"""Shows recalls with the answers to them, and a company its notices."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.logistics.lot_recalls.model import LotRecall, NoticeState, RecallNotice

MOST_NOTICES = 200


class Effect(msgspec.Struct, frozen=True):
    """How far a recall has come: notices by state. A share is of all notices that stand, None where there are none."""

    notices: int
    acknowledged: int
    resolved: int

    @property
    def share_acknowledged(self) -> float | None:
        """The effectiveness check of 21 CFR 7.42(b)(3): who has answered, of those who were told."""
        return round(self.acknowledged / self.notices, 4) if self.notices else None


class Shown(msgspec.Struct, frozen=True):
    """A recall with its figures and the notices that its owner may see."""

    recall: LotRecall
    effect: Effect
    notices: Sequence[RecallNotice]


def see_recall(session: Session, caller: Caller, recall_id: str) -> Shown:
    """A recall that the caller's company has started. Raises NotFound."""
    return show_recall(session, caller, see(session, LotRecall, recall_id, caller))


def show_recall(session: Session, caller: Caller, recall: LotRecall) -> Shown:
    """A recall with its figures, and at most ``MOST_NOTICES`` of its notices."""
    seen = page(session, RecallNotice, caller, None, MOST_NOTICES, RecallNotice.recall_id == recall.id)
    return Shown(recall, measure_effects(session, [recall.id])[recall.id], seen.items)


def list_recalls(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[Shown]:
    """The recalls that the caller's company has started, newest first, without their notices."""
    found = page(session, LotRecall, caller, cursor, limit)
    effects = measure_effects(session, [recall.id for recall in found.items])
    return found.map(lambda recall: Shown(recall, effects[recall.id], []))


def measure_effects(session: Session, recall_ids: Sequence[str]) -> dict[str, Effect]:
    """How many notices each recall has, and how many were answered; those that its owner does not see count too."""
    counts = select(RecallNotice.recall_id, RecallNotice.state, func.count()).group_by(
        RecallNotice.recall_id, RecallNotice.state
    )
    by_state: dict[str, dict[str, int]] = {id: {} for id in recall_ids}
    for recall_id, state, count in session.execute(counts.where(RecallNotice.recall_id.in_(recall_ids))):
        by_state[recall_id][state] = count
    return {id: _effect(states) for id, states in by_state.items()}


def _effect(states: dict[str, int]) -> Effect:
    resolved = states.get(NoticeState.RESOLVED, 0)
    acknowledged = resolved + states.get(NoticeState.ACKNOWLEDGED, 0)
    return Effect(acknowledged + states.get(NoticeState.SENT, 0), acknowledged, resolved)


def see_notice(session: Session, caller: Caller, notice_id: str) -> tuple[RecallNotice, LotRecall]:
    """A notice that the caller may see, with its recall. Raises NotFound."""
    notice = see(session, RecallNotice, notice_id, caller)
    return notice, see(session, LotRecall, notice.recall_id, Caller.system("logistics"))


def list_notices(
    session: Session, caller: Caller, state: NoticeState | None, cursor: str | None, limit: int
) -> Page[tuple[RecallNotice, LotRecall]]:
    """The notices to the caller's company, and those of its own recalls, newest first."""
    where = [RecallNotice.state == state] if state is not None else []
    found = page(session, RecallNotice, caller, cursor, limit, *where)
    recalls = select(LotRecall).where(LotRecall.id.in_({notice.recall_id for notice in found.items}))
    by_id = {recall.id: recall for recall in session.scalars(recalls)}
    return found.map(lambda notice: (notice, by_id[notice.recall_id]))
