"""Who holds what of a recalled lot, by the last events of each thing: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from services.logistics.trace.facts import Fact
from services.logistics.trace.graph import Role, Walk
from services.logistics.trace.known import Known
from services.logistics.trace.naming import name_kind, write_label
from services.logistics.trace.past import Custody, Past, read_custody

MOST_TOLD = 2_000
"""So many things are named in a notice; all are counted."""
_DELIVERY, _DEAL = "urn:haihe:delivery:", "urn:haihe:deal:"


class Arrival(msgspec.Struct, frozen=True):
    """Who a delivery of this platform goes to, and when it was received."""

    buyer_id: str
    received_at: datetime | None


class Holding(msgspec.Struct):
    """What one holder has: things as a notice tells them, and the papers under which it had them."""

    things: list[dict[str, Any]] = []
    papers: set[str] = set()

    @property
    def told(self) -> dict[str, Any]:
        """The columns of a notice."""
        latest = {one["id"]: one for one in sorted(self.things, key=lambda one: one["since"])}
        ordered = [latest[id] for id in sorted(latest)]
        return {
            "held": len(ordered),
            "things": ordered[:MOST_TOLD],
            "delivery_ids": sorted(one.removeprefix(_DELIVERY) for one in self.papers if one.startswith(_DELIVERY)),
            "deal_ids": sorted(one.removeprefix(_DEAL) for one in self.papers if one.startswith(_DEAL)),
        }


def find_holders(
    known: Known, walk: Walk, arrivals: Mapping[str, Arrival], *, maker_id: str, companies: Mapping[str, str]
) -> dict[str, Holding]:
    """Holder (a company's id, or a name that an event uses and no company here has) to what it has of a walk's products.

    A single thing is where the chain from its maker leaves it: only who has it can say that it went on. Whoever else has
    captured an event of it since is a holder too, but takes it out of nobody's hands. Of a lot or class every company that had any
    may have some left. What a delivery of this platform carried is its buyer's. What went on to somebody who is no company here is
    told to whoever sent it on, who alone knows them (21 CFR 7.49(d)); the maker itself finds them under ``unreached``.
    """
    past, found = Past(known), defaultdict(Holding)
    for node in walk.nodes.values():
        if node.role not in (Role.ROOT, Role.PRODUCT) or node.id not in known.of:
            continue
        if name_kind(node.id) in ("lot", "class"):
            custodies = _custodies_of_class(past, node.id)
        else:
            makers = {maker_id, *_first_maker(known, node.id)}
            custodies = _custodies_of_thing(past, node.id, makers, companies, arrivals)
        for custody in [*custodies, *_senders(known, custodies, companies, maker_id)]:
            holder = _holder(known, custody, arrivals)
            _hold(known, found[companies.get(holder, holder)], node.id, custody, arrivals)
    return dict(found)


def _first_maker(known: Known, thing: str) -> set[str]:
    """Who was first to record that a thing came of a run or is of a lot: what came of a recalled lot may be another's product."""
    made = [*known.producing.get(thing, []), *(fact for _, fact in known.lots.get(thing, []))]
    return {min(made, key=lambda fact: fact.id).owner_id} if made else set()


def _senders(known: Known, custodies: list[Custody], companies: Mapping[str, str], maker_id: str) -> Iterator[Custody]:
    """Who has sent something on to somebody who is no company here, and has none of it left by what is known."""
    holders = {companies.get(custody.holder, custody.holder) for custody in custodies}
    for custody in custodies:
        sender_id = known.facts[custody.fact].owner_id
        if ":" in companies.get(custody.holder, custody.holder) and sender_id not in (maker_id, *holders):
            yield Custody(sender_id, "passed_on", custody.since, custody.fact)


def _custodies_of_thing(
    past: Past, thing: str, makers: set[str], companies: Mapping[str, str], arrivals: Mapping[str, Arrival]
) -> list[Custody]:
    chain = set(makers)
    last: Custody | None = None
    claims: dict[str, Custody] = {}
    for fact in past.list_all(thing):
        custody = read_custody(fact, thing)
        buyers = {arrivals[uri].buyer_id for _, uri in fact.papers if uri in arrivals}
        if fact.owner_id in chain:
            last = custody
            claims.clear()
            chain |= {companies.get(custody.holder, custody.holder), *buyers}
        else:
            claims[fact.owner_id] = Custody(fact.owner_id, "held", fact.at, fact.id)
            claims[custody.holder] = custody
    return [*([last] if last is not None else []), *claims.values()]


def _custodies_of_class(past: Past, name: str) -> list[Custody]:
    latest: dict[str, Custody] = {}
    for fact in past.list_all(name):
        custody = read_custody(fact, name)
        latest[custody.holder] = custody
        if custody.holder != fact.owner_id:
            latest[fact.owner_id] = Custody(fact.owner_id, "held", fact.at, fact.id)
    return list(latest.values())


def _arrival(known: Known, custody: Custody, arrivals: Mapping[str, Arrival]) -> Arrival | None:
    fact = known.facts[custody.fact]
    return next((arrivals[uri] for _, uri in fact.papers if uri in arrivals), None)


def _holder(known: Known, custody: Custody, arrivals: Mapping[str, Arrival]) -> str:
    arrival = _arrival(known, custody, arrivals) if custody.state == "held" else None
    return arrival.buyer_id if arrival is not None else custody.holder


def _hold(known: Known, holding: Holding, id: str, custody: Custody, arrivals: Mapping[str, Arrival]) -> None:
    """Put down a thing with its holder, at the place of the event that says so: where others have seen it since is theirs."""
    arrival = _arrival(known, custody, arrivals) if custody.state == "held" else None
    state = custody.state if arrival is None else "held" if arrival.received_at else "on_the_way"
    holding.things.append(
        {
            "id": id,
            "label": write_label(id),
            "state": state,
            "since": custody.since.isoformat(),
            "place": known.facts[custody.fact].place,
        }
    )
    own = [fact for fact in known.of[id] if fact.owner_id == custody.holder]
    holding.papers.update(uri for fact in (*own, known.facts[custody.fact]) for _, uri in fact.papers)


def list_deliveries(known: Known) -> set[str]:
    """The ids of the deliveries of this platform that events name."""
    return {paper.removeprefix(_DELIVERY) for paper in known.under if paper.startswith(_DELIVERY)}


def write_delivery(id: str) -> str:
    """A delivery as events name it."""
    return _DELIVERY + id


def list_papers(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    """The papers that some events name, each once, at most ``MOST_TOLD``."""
    found = {(kind or "", uri) for fact in facts for kind, uri in fact.papers}
    return [{"type": kind or None, "id": uri} for kind, uri in sorted(found)[:MOST_TOLD]]
