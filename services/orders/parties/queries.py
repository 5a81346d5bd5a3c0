"""Looks companies up for the topics that need to know who trades."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from chassis.problems import NotYetKnown
from events.identity import Licence
from services.orders.base import among, many
from services.orders.parties.model import Party, check_apart, check_third, fold_name

_BY_ID = select(Party).where(among(Party.id, many("ids")))


def find_trader(session: Session, party_id: str) -> Party:
    """A company that may trade. Raises NotYetKnown or PartySuspended."""
    return _find(session, party_id)[party_id]


def find_seller(session: Session, party_id: str, *, weigher_id: str | None) -> Party:
    """A company that may sell, and the third party that it names. Raises NotYetKnown, PartySuspended or NotThirdParty."""
    found = _find(session, party_id, *([weigher_id] if weigher_id else []))
    if weigher_id:
        check_third(found[weigher_id], found[party_id])
    return found[party_id]


def find_traders(
    session: Session, *, buyer_id: str, seller_id: str, weigher_id: str | None = None
) -> tuple[Party, Party]:
    """Buyer and seller, who may trade with each other, and are both apart from who weighs.

    Raises NotYetKnown, PartySuspended, SelfDealing or NotThirdParty.
    """
    found = _find(session, buyer_id, seller_id, *([weigher_id] if weigher_id else []))
    check_apart(found[buyer_id], found[seller_id])
    if weigher_id:
        check_third(found[weigher_id], found[buyer_id], found[seller_id])
    return found[buyer_id], found[seller_id]


def find_names(session: Session, party_ids: Iterable[str]) -> dict[str, str]:
    """What companies are called, those that were heard of, whatever their state."""
    return {party.id: party.name for party in session.scalars(_BY_ID, {"ids": sorted(party_ids)})}


def find_licences(session: Session, party_id: str) -> list[Licence]:
    """The licences of a company, whatever its state; none of one that was not heard of."""
    return session.scalar(select(Party.licences).where(Party.id == party_id)) or []


def check_known(session: Session, party_ids: Sequence[str], *, field: str) -> None:
    """Raises NotYetKnown, which names the field, for companies that were not heard of."""
    found = {party.id for party in session.scalars(_BY_ID, {"ids": sorted(party_ids)})}
    if missing := sorted(set(party_ids) - found):
        raise NotYetKnown(f"{' and '.join(missing)} has not been heard of yet", field=field)


def find_called(session: Session, texts: Iterable[str]) -> dict[str, list[Party]]:
    """Each text that may name companies (id, identifier or name) with those that it names, by id; one statement."""
    folded = {text: fold_name(text) for text in texts}
    wanted = sorted(set(folded.values()))
    query = select(Party).where(or_(Party.known_as.overlap(wanted), among(Party.id, folded))).order_by(Party.id)
    called: dict[str, list[Party]] = defaultdict(list)
    for party in session.scalars(query) if wanted else ():
        for name in {fold_name(party.id), *(party.known_as or ())}:
            called[name].append(party)
    return {text: called[name] for text, name in folded.items()}


def _find(session: Session, *party_ids: str) -> dict[str, Party]:
    found = {party.id: party for party in session.scalars(_BY_ID, {"ids": list(party_ids)})}
    if missing := sorted(set(party_ids) - found.keys()):
        raise NotYetKnown(f"{' and '.join(missing)} has not been heard of yet")
    for party in found.values():
        party.check_may_trade()
    return found
