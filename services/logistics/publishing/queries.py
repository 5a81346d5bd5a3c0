"""Finds what is published of an address, and shows companies their publications."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.problems import NotFound
from services.logistics.companies.queries import name_companies
from services.logistics.epcis.digital_links import take_apart
from services.logistics.publishing.links import Name, read_path
from services.logistics.publishing.model import Publication, State
from services.logistics.publishing.shown import Shown, choose_steps
from services.logistics.trace.known import Known
from services.logistics.trace.loading import load_facts
from services.logistics.trace.past import Past
from services.logistics.trace.places import find_places

_LEVELS = 3
"""So many levels of what a thing was packed in have a part in its history."""


def see_publication(session: Session, publication_id: str, caller: Caller) -> Publication:
    """A publication of the caller's company. Raises NotFound."""
    return see(session, Publication, publication_id, caller)


def list_publications(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[Publication]:
    """The publications of the caller's company, newest first."""
    return page(session, Publication, caller, cursor, limit)


def show_page(session: Session, path: str, base: str) -> Shown:
    """What is published of the item, the lot or the product in an address: the finest of them alone. Raises NotFound.

    Nothing else is told apart: what is withdrawn, unknown or not published is not there.
    """
    name = read_path(path)
    if name is None:
        raise NotFound("nothing is published here")
    name = _add_lot(session, name)
    found = select(Publication).where(Publication.key.in_(name.keys), Publication.state == State.SHOWN)
    by_key = {one.key: one for one in session.scalars(found)}
    publication = next((by_key[key] for key in name.keys if key in by_key), None)
    if publication is None:
        raise NotFound("nothing is published here")
    return _show(session, publication, name, base)


def _add_lot(session: Session, name: Name) -> Name:
    """The lot of a serial number by whoever was first to record one, whatever the address says: a page shows no lot that is not
    so, and nobody else can put another's things into a lot of its own.
    """
    if name.serial is None:
        return name
    thing = name.keys[0]
    lots = _load(session, Caller.system("logistics"), thing, levels=0).lots.get(thing, [])
    parts = take_apart(min(lots, key=lambda pair: pair[1].id)[0]) if lots else None
    return Name(name.ai, name.value, parts[2].get("10") if parts is not None else None, name.serial)


def _load(session: Session, reader: Caller, thing: str, *, levels: int) -> Known:
    """The events of a thing and of what it was in, so many levels up."""
    known, wanted = Known(), {thing}
    for _ in range(levels + 1):
        if wanted:
            load_facts(session, reader, known, wanted, None)
        wanted = {parent for key in wanted for parent in known.parents(key)} - known.whole
    return known


def _show(session: Session, publication: Publication, name: Name, base: str) -> Shown:
    facts, places = [], {}
    if publication.steps and (name.ai != "01" or name.lot is not None or name.serial is not None):
        reader = Caller("public:page", publication.owner_id)
        known = _load(session, reader, name.keys[0], levels=_LEVELS)
        told = Past(known).list_all(name.keys[0]) + [fact for _, fact in known.members.get(name.keys[0], [])]
        facts = [fact for fact in told if fact.owner_id == publication.owner_id]
        places = find_places(session, facts)
    return Shown(
        name=name,
        anchor=f"{base.rstrip('/')}/dl/{name.path}",
        publisher=name_companies(session, [publication.owner_id]).get(publication.owner_id, ""),
        texts=publication.texts,
        steps=choose_steps(
            facts,
            places,
            owner_id=publication.owner_id,
            steps=publication.steps,
            precision=publication.precision,
        ),
        documents=publication.documents,
    )
