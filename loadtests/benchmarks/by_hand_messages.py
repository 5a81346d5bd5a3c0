"""A relay and a consumer by hand: no partitions, no group, one log that one reader follows."""

from __future__ import annotations

import msgspec
import psycopg

from chassis import clock
from chassis.consumer import BATCH as HEARD_AT_ONCE
from chassis.relay import BATCH as SENT_AT_ONCE
from loadtests.benchmarks.by_hand import LIMITS
from loadtests.benchmarks.by_hand_sql import HEAR

TABLES = """
CREATE TABLE log (place bigint PRIMARY KEY, key text NOT NULL, value bytea NOT NULL, headers text NOT NULL);
CREATE TABLE reader (place bigint NOT NULL);
INSERT INTO reader VALUES (0)"""
READ_OUTBOX = "SELECT id, topic, key, value, headers FROM outbox ORDER BY id LIMIT %s"
EMPTY_OUTBOX = "DELETE FROM outbox WHERE id = ANY(%s)"
READ_LOG = "SELECT place, key, value, headers FROM log WHERE place > %s ORDER BY place LIMIT %s"
MOVE_ON = "UPDATE reader SET place = %s"


class MessagesByHand:
    """One connection to the service's database (a libpq address), one to the log's."""

    def __init__(self, address: str, log: str) -> None:
        self.database = psycopg.connect(address, autocommit=True, options=LIMITS)
        self.log = psycopg.connect(log, autocommit=True, options=LIMITS)
        self.log.execute(TABLES)
        self.written = self.heard = 0

    def send(self) -> int:
        """Moves a batch from the outbox to the log: how many."""
        rows = self.database.execute(READ_OUTBOX, (SENT_AT_ONCE,)).fetchall()
        with self.log.transaction(), self.log.cursor().copy("COPY log FROM STDIN") as copy:
            for _, _, key, value, headers in rows:
                self.written += 1
                copy.write_row((self.written, key, value, msgspec.json.encode(headers).decode()))
        self.database.execute(EMPTY_OUTBOX, ([row[0] for row in rows],))
        return len(rows)

    def hear(self) -> int:
        """Takes a batch in, each event once: how many."""
        rows = self.log.execute(READ_LOG, (self.heard, HEARD_AT_ONCE)).fetchall()
        events = {msgspec.json.decode(headers)["ce_id"]: msgspec.json.decode(value) for _, _, value, headers in rows}
        with self.database.transaction():
            self.database.execute(HEAR, {"group": "by hand", "ids": list(events), "at": clock.now()}).fetchall()
        if rows:
            self.heard = rows[-1][0]
            self.log.execute(MOVE_ON, (self.heard,))
        return len(rows)

    def close(self) -> None:
        """Closes its connections."""
        self.database.close()
        self.log.close()
