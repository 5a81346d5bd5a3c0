"""Part ledger: transfers a second through the ledger's own commands, singly and in batches, against plain psycopg that
calls the same function of the database with the same arguments.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg

from chassis import clock, migrate
from chassis.auth import PLATFORM
from chassis.database import Database
from chassis.values import Money
from infra.cluster import Cluster
from infra.databases import libpq
from infra.failures import Failure
from loadtests.benchmarks.by_hand import LIMITS
from loadtests.benchmarks.by_hand_sql import POST
from loadtests.benchmarks.figures import Figure, Goal, compare, interleave
from loadtests.benchmarks.plan import Plan
from services.settlement.ledger.commands import post, post_batch
from services.settlement.ledger.model import Draft, Kind, Lacking, Leg, Posted

BATCH = 500
THREADS = 8
PARTIES = 1_000
OPENING = Money(10**12, "CNY")
_numbers = itertools.count(1)
Move = tuple[int, int, int, int]
"""A transfer's number, who pays, who is paid, and minor units."""


class LedgerFailed(Failure):
    """A transfer was not posted."""


def measure_ledger(plan: Plan, cluster: Cluster) -> list[Figure]:
    """Transfers between parties' balances: one a transaction from eight threads, and 500 a transaction from one."""
    address = cluster.create_database("ledger", service="settlement")
    migrate.upgrade("settlement", address.owner)
    database = Database(address.app, pool_size=THREADS)
    try:
        database.run(lambda session: _expect_posted(*post_batch(session, [_open(party) for party in range(PARTIES)])))
        with _connections(libpq(address.app)) as connections:
            single = interleave(
                plan.rounds,
                lambda: _time(plan.transfers, lambda count, _: _post_singly(database, count)),
                lambda: _time(plan.transfers, lambda count, n: _post_by_hand(connections[n], count, 1)),
            )
            batches = interleave(
                plan.rounds,
                lambda: _time_batches(plan.batches, lambda count, _: _post_batches(database, count)),
                lambda: _time_batches(plan.batches, lambda count, _: _post_by_hand(connections[0], count, BATCH)),
            )
    finally:
        database.close()
    return [
        compare("ledger", "transfers a second, singly, 8 threads", "/s", single, Goal(of="ours", at_least=1_500)),
        compare("ledger", "transfers a second, in batches of 500", "/s", batches, Goal(of="ours", at_least=8_000)),
    ]


@contextlib.contextmanager
def _connections(conninfo: str) -> Iterator[list[psycopg.Connection]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(conninfo, autocommit=True, options=LIMITS)) for _ in range(THREADS)]


def _time(count: int, work: Callable[[int, int], None], threads: int = THREADS) -> float:
    """How many a second, when each of some threads does its share; what one of them raised is raised."""
    failures: list[Exception] = []

    def run(number: int) -> None:
        try:
            work(count // threads, number)
        except Exception as error:
            failures.append(error)

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    began = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if failures:
        raise failures[0]
    return count // threads * threads / (time.perf_counter() - began)


def _time_batches(count: int, work: Callable[[int, int], None]) -> float:
    return BATCH * _time(count, work, threads=1)


def _post_singly(database: Database, count: int) -> None:
    for _ in range(count):
        draft = _draft(*_move())
        told = {"key": draft.key, "kind": draft.kind, "subject": draft.subject, "legs": draft.legs}
        database.run(lambda session, told=told: _expect_posted(post(session, **told)))


def _post_batches(database: Database, count: int) -> None:
    for _ in range(count):
        drafts = [_draft(*_move()) for _ in range(BATCH)]
        database.run(lambda session, drafts=drafts: _expect_posted(*post_batch(session, drafts)))


def _post_by_hand(connection: psycopg.Connection, count: int, size: int) -> None:
    for _ in range(count):
        moves = [_move() for _ in range(size)]
        with connection.transaction():
            rows = connection.execute(POST, _arguments(moves)).fetchall()
        if any(row[1] != "posted" for row in rows):
            raise LedgerFailed(str(rows))


def _move() -> Move:
    payer, payee = random.sample(range(PARTIES), 2)
    return next(_numbers), payer, payee, random.randrange(1, 10_000)


def _draft(number: int, payer: int, payee: int, amount: int) -> Draft:
    legs = (
        Leg(f"party_{payer}", Kind.AVAILABLE, Money(-amount, "CNY")),
        Leg(f"party_{payee}", Kind.AVAILABLE, Money(amount, "CNY")),
    )
    return Draft(key=f"transfer:{number}", kind="transfer", subject=f"transfer_{number}", legs=legs)


def _arguments(moves: Sequence[Move]) -> tuple[Any, ...]:
    """The arguments of ``post_journals`` for some transfers."""
    keys = [f"transfer:{number}" for number, *_ in moves]
    return (
        [clock.new_id("journal") for _ in moves],
        keys,
        [hashlib.sha256(repr(move).encode()).hexdigest() for move in moves],
        ["transfer"] * len(moves),
        keys,
        [2] * len(moves),
        [f"party_{party}:available:CNY" for _, payer, payee, _ in moves for party in (payer, payee)],
        [signed for *_, amount in moves for signed in (-amount, amount)],
        clock.now(),
    )


def _open(party: int) -> Draft:
    legs = (Leg(PLATFORM, Kind.CLEARING_BANK, -OPENING), Leg(f"party_{party}", Kind.AVAILABLE, OPENING))
    return Draft(key=f"open:{party}", kind="bank_credit", subject=f"party_{party}", legs=legs)


def _expect_posted(*answers: Posted | Lacking) -> None:
    if not all(isinstance(answer, Posted) for answer in answers):
        raise LedgerFailed(str(answers))
