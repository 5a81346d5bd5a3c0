"""The loop that keeps the search index: a consumer group of its own that holds no transaction while it writes.

It keeps what it hears, writes the documents that follow from it, and only then commits its offsets; whatever is heard
twice is written twice with the same version. Where there is no index, or one of another layout, it makes one first. What
it has written it shows to the saved searches.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import structlog

from chassis import clock
from chassis.brokers import Message, Subscription
from chassis.database import Database
from chassis.envelope import Event
from chassis.pace import Pace
from chassis.values import read_wire
from chassis.worker import Context
from events.catalog import PieceDescribed, ProductDescribed
from events.identity import PartyDescribed
from events.orders import DealCompleted, DealDefaulted, DealStruck, OfferDescribed, PostingDescribed
from services.catalog.search import commands, making
from services.catalog.search.engine import SearchEngine
from services.catalog.search.engines import open_engine
from services.catalog.search.making import Changes
from services.catalog.search.watching import Watch

GROUP = "catalog-search"
TOPICS = ("catalog", "identity", "orders")
BATCH = 500
WAIT_S = 0.05
PAGE = 500
STATEMENTS_MAY_LAST = timedelta(seconds=60)
MOST_KNOWN = 500_000
BEGIN_AFTER_S = 2.0
"""While messages keep coming, searches that were just saved are looked at after so long."""
log = structlog.get_logger(__name__)

THINGS = (OfferDescribed, ProductDescribed, PostingDescribed)
DEALS = (DealStruck, DealCompleted, DealDefaulted)
HEARD = (*THINGS, *DEALS, PartyDescribed, PieceDescribed)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    event.type: msgspec.json.Decoder(event, dec_hook=read_wire) for event in HEARD
}


class Learner:
    """Notes the words and locks of documents before these can be found; what was noted once is remembered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: set[str] = set()

    def learn(self, changes: Changes) -> None:
        """Note what is new."""
        words, locks = changes.words - self._known, changes.locks
        new_locks = [lock for id, lock in locks.items() if id not in self._known]
        if words or new_locks:
            self._database.run(lambda session: commands.learn(session, words, new_locks))
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known |= {*words, *locks}


class SearchFeed:
    """Polls, keeps, writes, commits. One thread uses it."""

    group = GROUP
    topics = TOPICS
    hears = HEARD
    pace = Pace(idle_s=0.25, longest_idle_s=0.25, full_step=BATCH)
    """What comes within a quarter of a second is written together: writing each deal by itself would cost most of a core."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.engine = open_engine(context.settings.search)
        self._learner = Learner(context.database)
        self._watch = Watch(context.database)
        self._subscription: Subscription | None = None
        self._begun_at = 0.0

    def step(self) -> int:
        """Take in one batch; how many messages came. Raises BrokerDown or SearchUnavailable: nothing is lost."""
        if not self.engine.is_ready():
            rebuild(self.context.database, self.engine)
        if self._subscription is None:
            self._subscription = self.context.broker.subscribe(GROUP, TOPICS, self.context.member)
        batch = self._subscription.poll(BATCH, WAIT_S)
        if not batch:
            return self._begin()
        try:
            self._take_in(batch)
        except BaseException:
            self._subscription.seek_to_committed()
            raise
        self._subscription.commit()
        if time.monotonic() - self._begun_at > BEGIN_AFTER_S:
            self._begin()
        return len(batch)

    def _begin(self) -> int:
        self._begun_at = time.monotonic()
        return self._watch.begin(self.engine)

    def _take_in(self, batch: list[Message]) -> None:
        heard = listen(batch)
        if not (heard.things or heard.parties or heard.pieces or heard.deals):
            return
        ids = self.context.database.run(lambda session: commands.take_in(session, heard))
        for some in _pages_of(ids):
            changes = self.context.database.look(lambda session, some=some: making.make_changes(session, some))
            self._learner.learn(changes)
            self.engine.write(changes.changes)
            self._watch.show(changes.made)

    def close(self) -> None:
        """Leave the group and let another process write."""
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            subscription.close()
        self.engine.close()


def listen(batch: list[Message]) -> commands.Heard:
    """What messages say; one that cannot be read is logged and passed over, since no later one depends on it."""
    heard = commands.Heard()
    for message in batch:
        event = _read(message)
        if isinstance(event, THINGS):
            _keep_latest(heard.things, event)
        elif isinstance(event, PartyDescribed):
            _keep_latest(heard.parties, event)
        elif isinstance(event, PieceDescribed):
            _keep_latest(heard.pieces, event)
        elif isinstance(event, DEALS):
            heard.deals.append(event)
    return heard


def _read(message: Message) -> Event | None:
    decoder = _decoders.get(message.headers.get("ce_type", ""))
    if decoder is None:
        return None
    try:
        return decoder.decode(message.value)
    except (msgspec.DecodeError, ValueError):
        log.exception("message not readable", group=GROUP, topic=message.topic, key=message.key)
        return None


def _keep_latest(known: dict[str, Any], event: Any) -> None:
    id = event.subject
    if id not in known or known[id].version <= event.version:
        known[id] = event


def rebuild(database: Database, engine: SearchEngine) -> int:
    """Make the index from what was kept, while the old one is still asked; how many things were looked at.

    What another member of the group wrote to the old index meanwhile is written again to the new one.
    """
    since = clock.now() - STATEMENTS_MAY_LAST
    count, learner = 0, Learner(database)

    def make(ids: list[str]) -> Changes:
        changes = database.look(lambda session: making.make_changes(session, ids))
        learner.learn(changes)
        return changes

    with engine.rebuilt() as fill:
        for ids in _pages(database, making.list_open):
            fill(make(ids).changes)
            count += len(ids)
    for ids in _pages(database, lambda session, after, limit: making.list_touched(session, since, after, limit)):
        engine.write(make(ids).changes)
    log.info("search index made", things=count)
    return count


def _pages(database: Database, list_ids: Any) -> Iterator[list[str]]:
    after = ""
    while ids := database.look(lambda session, after=after: list_ids(session, after, PAGE)):
        yield ids
        after = ids[-1]


def _pages_of(ids: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(ids), PAGE):
        yield ids[begin : begin + PAGE]
