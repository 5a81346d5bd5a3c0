"""The criterion of who may see an open offer that is not its own: one in its audience, and licensed where goods are hidden.

It says in SQL what ``Offer.is_shown_to`` says in Python; a property test holds the two equal. The time is the clock's when
a statement runs, for the criterion of a caller is built once.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, DateTime, and_, bindparam, text

from chassis import clock

_SHOWN = (
    "(offer.audience IS NULL OR :viewer = ANY (offer.audience)) AND (offer.licences IS NULL OR NOT EXISTS ("
    "SELECT FROM jsonb_to_recordset(offer.licences) AS need (scheme text, scope jsonb, held_by jsonb, hides boolean) "
    "WHERE need.hides AND need.held_by @> '[\"buyer\"]' AND NOT EXISTS ("
    "SELECT FROM party CROSS JOIN LATERAL jsonb_to_recordset(party.licences) "
    "AS held (scheme text, scope jsonb, valid_until timestamptz) WHERE party.id = :viewer "
    "AND held.scheme = need.scheme AND held.scope @> need.scope AND held.valid_until > :viewed_at)))"
)


def is_shown(party_id: str) -> ColumnElement[bool]:
    """The open offers that a company which is not their seller may see, as a criterion over the table of offers."""
    viewed_at = bindparam("viewed_at", callable_=clock.now, type_=DateTime(timezone=True))
    return and_(text(_SHOWN).bindparams(bindparam("viewer", party_id), viewed_at))
