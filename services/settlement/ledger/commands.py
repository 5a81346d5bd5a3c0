"""Moves money: the only callers of ``post_journal`` and ``post_journals``.

Make one call a command: within a call the accounts are locked in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from chassis import clock
from chassis.values import Money
from services.settlement.ledger.model import (
    Draft,
    JournalKeyReused,
    Lacking,
    Leg,
    MoneyMissing,
    Posted,
    read_account_id,
    take_fingerprint,
)

_POST_ONE = (
    "SELECT outcome, journal_id, account_id, missing FROM post_journal("
    "%s, %s, %s, %s, %s, %s ::text[], %s ::bigint[], %s ::timestamptz)"
)
_POST = (
    "SELECT n, outcome, journal_id, account_id, missing FROM post_journals("
    "%(ids)s ::text[], %(keys)s ::text[], %(fingerprints)s ::text[], %(kinds)s ::text[], %(subjects)s ::text[], "
    "%(leg_counts)s ::int[], %(leg_accounts)s ::text[], %(leg_amounts)s ::bigint[], %(at)s ::timestamptz) ORDER BY n"
)


def post(session: Session, *, key: str, kind: str, subject: str, legs: Iterable[Leg]) -> Posted | Lacking:
    """Post one journal, or say which account lacks how much; then nothing has moved.

    The same key with the same legs is answered with the first journal. Raises JournalKeyReused when the key stands for
    another movement, ValueError when the legs do not sum to zero in each currency or move nothing.
    """
    return _post_one(session, Draft(key=key, kind=kind, subject=subject, legs=tuple(legs)))


def post_certain(session: Session, *, key: str, kind: str, subject: str, legs: Iterable[Leg]) -> str:
    """Post a journal over money that must be there; its id. Raises MoneyMissing when it is not: that is a bug."""
    answer = post(session, key=key, kind=kind, subject=subject, legs=legs)
    if isinstance(answer, Lacking):
        raise MoneyMissing(f"{key}: {answer.owner_id} {answer.kind} lacks {answer.missing}")
    return answer.journal_id


def post_batch(session: Session, drafts: Sequence[Draft]) -> list[Posted | Lacking]:
    """Post journals in their order and answer each by itself: one that lacks loses no other. Raises as ``post``."""
    if len(drafts) < 2:
        return [_post_one(session, draft) for draft in drafts]
    amounts = [draft.amounts for draft in drafts]
    rows = session.connection().exec_driver_sql(
        _POST,
        {
            "ids": [clock.new_id("journal") for _ in drafts],
            "keys": [draft.key for draft in drafts],
            "fingerprints": [
                take_fingerprint(draft.kind, draft.subject, moved) for draft, moved in zip(drafts, amounts, strict=True)
            ],
            "kinds": [draft.kind for draft in drafts],
            "subjects": [draft.subject for draft in drafts],
            "leg_counts": [len(moved) for moved in amounts],
            "leg_accounts": [account for moved in amounts for account in moved],
            "leg_amounts": [amount for moved in amounts for amount in moved.values()],
            "at": clock.now(),
        },
    )
    return [_read_answer(draft, *row) for draft, (_, *row) in zip(drafts, rows, strict=True)]


def _post_one(session: Session, draft: Draft) -> Posted | Lacking:
    amounts = draft.amounts
    journal = (
        clock.new_id("journal"),
        draft.key,
        take_fingerprint(draft.kind, draft.subject, amounts),
        draft.kind,
        draft.subject,
    )
    legs = (list(amounts), list(amounts.values()), clock.now())
    return _read_answer(draft, *session.connection().exec_driver_sql(_POST_ONE, (*journal, *legs)).one())


def _read_answer(
    draft: Draft, outcome: str, journal_id: str | None, account: str | None, missing: int | None
) -> Posted | Lacking:
    if outcome == "reused":
        raise JournalKeyReused(f"{draft.key} was posted with other legs as {journal_id}", journal=journal_id)
    if outcome == "lacking":
        owner_id, kind, currency = read_account_id(account or "")
        return Lacking(owner_id, kind, Money(missing or 0, currency))
    return Posted(journal_id or "", replayed=outcome == "replayed")
