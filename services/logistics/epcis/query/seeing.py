"""For a company that may see few events: which, so that a question about no thing in particular is not asked of all events.

It is a way to go, not a right: what may be seen is still said by ``EpcisEvent.visible_to``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, any_, func, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis.auth import Caller
from services.logistics.epcis.model import EpcisEvent
from services.logistics.epcis.query.conditions import Condition, Described, Holds, Names, OneOf, Pairs, Query

FEW, FEW_TO_READ = 5_000, 50_000
"""So many events are looked at one by one in about 20 ms; and so many where the fields of each must be read anyway."""


def is_about_things(query: Query) -> bool:
    """Whether the question names things, papers or events, and so has an index that leads to its answers."""
    return any(map(_names_things, query.conditions))


def count_few(query: Query) -> int:
    """How many events are few for a question."""
    return FEW_TO_READ if any(isinstance(one, Holds | Described) for one in query.conditions) else FEW


def find_few(session: Session, caller: Caller, most: int) -> Any | None:
    """The ids of all that the caller may see, as an SQL array, when they are ``most`` or fewer; None otherwise."""
    if caller.is_operator or caller.is_system:
        return None
    counts = [
        select(func.count()).select_from(part.limit(most + 1).subquery()) for part in EpcisEvent.select_visible(caller)
    ]
    if sum(session.scalar(count) or 0 for count in counts) > most:
        return None
    ids = union_all(*EpcisEvent.select_visible(caller)).subquery()
    return any_(func.array(select(ids.c[0]).scalar_subquery(), type_=ARRAY(Text)))


def _names_things(condition: Condition) -> bool:
    if isinstance(condition, Holds):
        return isinstance(condition.test, Pairs)
    return isinstance(condition, Names) or (isinstance(condition, OneOf) and condition.column == "event_id")
