"""Late reads that change nothing of what was told: they are written into the passage that stands, and nobody hears of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from services.logistics.base import among
from services.logistics.rfid.model import Passage, PassageDelivery, Sighting
from services.logistics.rfid.passing import Meant
from services.logistics.rfid.writing import describe, list_reasons, overlaps, write_sightings


def read_deliveries(session: Session, passages: Collection[Passage]) -> dict[str, set[tuple[str, bool]]]:
    """The deliveries that went through with passages, by passage, and whether they left with it."""
    if not passages:
        return {}
    went: dict[str, set[tuple[str, bool]]] = {}
    rows = select(PassageDelivery.passage_id, PassageDelivery.delivery_id, PassageDelivery.departs)
    of_these = rows.where(among(PassageDelivery.passage_id, [one.id for one in passages]))
    for id, delivery_id, departs in session.execute(of_these):
        went.setdefault(id, set()).add((delivery_id, departs))
    return went


def amend_passages(
    session: Session,
    new: Sequence[tuple[str, Meant]],
    gone: Sequence[Passage],
    went: Mapping[str, set[tuple[str, bool]]],
) -> tuple[list[tuple[str, Meant]], list[Passage]]:
    """Write what late reads add to passages into them where these mean what they did: nothing is told of that anew.

    What is left is new, and what does not stand any more. ``went`` are the deliveries of what is gone.
    """
    left: list[tuple[str, Meant]] = []
    amended: list[tuple[Passage, Meant]] = []
    for digest, meant in new:
        replaced = [one for one in gone if overlaps(one, meant)]
        alone = len(replaced) == 1 and sum(overlaps(replaced[0], one) for _, one in new) == 1
        if alone and _means_the_same(replaced[0], meant, went.get(replaced[0].id, set())):
            describe(replaced[0], digest, meant)
            amended.append((replaced[0], meant))
        else:
            left.append((digest, meant))
    if amended:
        before = delete(Sighting).where(among(Sighting.passage_id, [one.id for one, _ in amended]))
        session.execute(before.execution_options(synchronize_session=False))
        write_sightings(session, amended)
    return left, [one for one in gone if one not in {passage for passage, _ in amended}]


def _means_the_same(passage: Passage, meant: Meant, went: set[tuple[str, bool]]) -> bool:
    carried = {(one.delivery_id, one.delivery_id in meant.passing.departed) for one in meant.passing.carried}
    return (
        (passage.event_ids or []) == [one.id for one in meant.told]
        and (passage.verdict, passage.plate) == (meant.judgement.verdict.value, meant.plate)
        and passage.reasons == list_reasons(meant)
        and went == carried
    )
