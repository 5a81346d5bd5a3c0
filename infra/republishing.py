"""Has a speaker say the present state of its things again: projections elsewhere can then be made anew."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Database, get_many
from chassis.service import Service

BATCH = 100


def republish(database: Database, service: Service, noun: str) -> int:
    """Emits the described event of every thing of a kind, a page a transaction, each row locked; how many there were."""
    describer, caller = service.describers[noun], Caller.system(service.name)
    model, told, last = describer.model, 0, ""

    def tell_page(session: Session, ids: list[str]) -> None:
        for thing in get_many(session, model, ids, caller):
            describer.describe(session, thing)

    while True:
        query = select(model.id).where(model.id > last).order_by(model.id).limit(BATCH)
        ids = database.look(lambda session, query=query: list(session.scalars(query)))
        if not ids:
            return told
        database.run(lambda session, ids=ids: tell_page(session, ids))
        told, last = told + len(ids), ids[-1]
