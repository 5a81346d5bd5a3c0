"""The loop that keeps the search index: a consumer group of its own that holds no transaction while it writes.

It keeps what it hears, writes the documents that follow from it, and only then commits its offsets; whatever is heard
twice is written twice with the same version. Where there is no index, or one of another layout, it makes one first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import structlog

from chassis import clock
from chassis.brokers import Message, Subscription
from chassis.database import Database
from chassis.envelope import Event
from chassis.values import read_wire
from chassis.worker import Context
from events.catalog import PieceDescribed
from events.identity import PartyDescribed
from events.orders import OfferDescribed
from services.catalog.search import commands, queries
from services.catalog.search.engine import SearchEngine
from services.catalog.search.engines import open_engine

GROUP = "catalog-search"
TOPICS = ("catalog", "identity", "orders")
BATCH = 500
WAIT_S = 0.05
PAGE = 500
STATEMENTS_MAY_LAST = timedelta(seconds=60)
log = structlog.get_logger(__name__)

_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    event.type: msgspec.json.Decoder(event, dec_hook=read_wire)
    for event in (OfferDescribed, PartyDescribed, PieceDescribed)
}


class SearchFeed:
    """Polls, keeps, writes, commits. One thread uses it."""

    group = GROUP
    topics = TOPICS

    def __init__(self, context: Context) -> None:
        self.context = context
        self.engine = open_engine(context.settings.search)
        self._subscription: Subscription | None = None

    def step(self) -> int:
        """Take in one batch; how many messages came. Raises BrokerDown or SearchUnavailable: nothing is lost."""
        if not self.engine.is_ready():
            rebuild(self.context.database, self.engine)
        if self._subscription is None:
            self._subscription = self.context.broker.subscribe(GROUP, TOPICS, self.context.member)
        batch = self._subscription.poll(BATCH, WAIT_S)
        if not batch:
            return 0
        try:
            self._take_in(batch)
        except BaseException:
            self._subscription.seek_to_committed()
            raise
        self._subscription.commit()
        return len(batch)

    def _take_in(self, batch: list[Message]) -> None:
        heard = listen(batch)
        if not (heard.offers or heard.parties or heard.piece_ids):
            return
        ids = self.context.database.run(lambda session: commands.take_in(session, heard))
        for some in _pages_of(ids):
            self.engine.write(
                self.context.database.look(lambda session, some=some: queries.make_changes(session, some))
            )

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
        if isinstance(event, OfferDescribed):
            _keep_latest(heard.offers, event.offer_id, event)
        elif isinstance(event, PartyDescribed):
            _keep_latest(heard.parties, event.party_id, event)
        elif isinstance(event, PieceDescribed):
            heard.piece_ids.add(event.piece_id)
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


def _keep_latest(known: dict[str, Any], id: str, event: Any) -> None:
    if id not in known or known[id].version <= event.version:
        known[id] = event


def rebuild(database: Database, engine: SearchEngine) -> int:
    """Make the index from what was kept, while the old one is still asked; how many offers were looked at.

    What another member of the group wrote to the old index meanwhile is written again to the new one.
    """
    since = clock.now() - STATEMENTS_MAY_LAST
    count = 0
    with engine.rebuilt() as fill:
        for ids in _pages(database, queries.list_open):
            fill(database.look(lambda session, ids=ids: queries.make_changes(session, ids)))
            count += len(ids)
    for ids in _pages(database, lambda session, after, limit: queries.list_touched(session, since, after, limit)):
        engine.write(database.look(lambda session, ids=ids: queries.make_changes(session, ids)))
    log.info("search index made", offers=count)
    return count


def _pages(database: Database, list_ids: Any) -> Iterator[list[str]]:
    after = ""
    while ids := database.look(lambda session, after=after: list_ids(session, after, PAGE)):
        yield ids
        after = ids[-1]


def _pages_of(ids: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(ids), PAGE):
        yield ids[begin : begin + PAGE]
