"""Part ledger: transfers a second through the ledger's own commands, singly and in batches, against plain psycopg that
calls the same functions of the database with the same arguments.

Single transfers come from as many connections as two web processes have threads: each waits for the disk to have its
commit, and PostgreSQL writes the commits of all that wait together.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import multiprocessing
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
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
from loadtests.benchmarks.by_hand_sql import POST, POST_ONE
from loadtests.benchmarks.figures import Figure, Goal, compare, interleave
from loadtests.benchmarks.plan import Plan
from services.settlement.ledger.commands import post, post_batch
from services.settlement.ledger.model import Draft, Kind, Lacking, Leg, Posted

BATCH = 500
PROCESSES = 2
THREADS = 16
PARTIES = 1_000
OPENING = Money(10**12, "CNY")
_numbers = itertools.count(1)
Move = tuple[int, int, int, int]
"""A transfer's number, who pays, who is paid, and minor units."""
Work = Callable[[str, int], tuple[float, float]]
"""Makes a number of transfers at an address; when it began and ended, by the machine's monotonic clock."""


class LedgerFailed(Failure):
    """A transfer was not posted."""


def measure_ledger(plan: Plan, cluster: Cluster) -> list[Figure]:
    """Transfers between parties' balances: one a transaction from 32 connections, and 500 a transaction from one."""
    address = cluster.create_database("ledger", service="settlement")
    migrate.upgrade("settlement", address.owner)
    with contextlib.closing(Database(address.app)) as database:
        database.run(lambda session: _expect_posted(*post_batch(session, [_open(party) for party in range(PARTIES)])))
    with _processes(PROCESSES) as many, _processes(1) as one:
        single = interleave(
            plan.rounds,
            lambda: _time(many, PROCESSES, _post_singly, address.app, plan.transfers),
            lambda: _time(many, PROCESSES, _post_singly_by_hand, address.app, plan.transfers),
        )
        batches = interleave(
            plan.rounds,
            lambda: _time(one, 1, _post_batches, address.app, plan.batches * BATCH),
            lambda: _time(one, 1, _post_batches_by_hand, address.app, plan.batches * BATCH),
        )
    name = f"transfers a second, singly, {PROCESSES} × {THREADS} threads"
    return [
        compare("ledger", name, "/s", single, Goal(of="ours", at_least=1_500)),
        compare("ledger", "transfers a second, in batches of 500", "/s", batches, Goal(of="ours", at_least=8_000)),
    ]


def _processes(count: int) -> ProcessPoolExecutor:
    """Processes that number their transfers each from a place of its own."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=_number_from_own_place)


def _number_from_own_place() -> None:
    global _numbers
    _numbers = itertools.count(time.monotonic_ns())


def _time(pool: ProcessPoolExecutor, processes: int, work: Work, url: str, count: int) -> float:
    """How many a second, from the first process that begins to the last that ends; the count divides by all threads."""
    shares = [pool.submit(work, url, count // processes) for _ in range(processes)]
    began, ended = zip(*(share.result() for share in shares), strict=True)
    return count / (max(ended) - min(began))


def _post_singly(url: str, count: int) -> tuple[float, float]:
    with contextlib.closing(Database(url, pool_size=THREADS)) as database:
        return _share_out(THREADS, count, lambda _: _transfer(database))


def _transfer(database: Database) -> None:
    draft = _draft(*_move())
    told = {"key": draft.key, "kind": draft.kind, "subject": draft.subject, "legs": draft.legs}
    database.run(lambda session: _expect_posted(post(session, **told)))


def _post_singly_by_hand(url: str, count: int) -> tuple[float, float]:
    with _connections(url, THREADS) as connections:
        return _share_out(THREADS, count, lambda thread: _post_one_by_hand(connections[thread]))


def _post_batches(url: str, count: int) -> tuple[float, float]:
    def transfer(_: int) -> None:
        drafts = [_draft(*_move()) for _ in range(BATCH)]
        database.run(lambda session: _expect_posted(*post_batch(session, drafts)))

    with contextlib.closing(Database(url)) as database:
        return _share_out(1, count // BATCH, transfer)


def _post_batches_by_hand(url: str, count: int) -> tuple[float, float]:
    with _connections(url, 1) as connections:
        return _share_out(1, count // BATCH, lambda _: _post_batch_by_hand(connections[0]))


@contextlib.contextmanager
def _connections(url: str, count: int) -> Iterator[list[psycopg.Connection]]:
    with contextlib.ExitStack() as stack:
        conninfo = libpq(url)
        yield [stack.enter_context(psycopg.connect(conninfo, autocommit=True, options=LIMITS)) for _ in range(count)]


def _share_out(threads: int, count: int, once: Callable[[int], None]) -> tuple[float, float]:
    """Does something a number of times with each thread doing its share, after once by each to warm up; begin and end.

    What one of the threads raised is raised.
    """
    failures: list[Exception] = []
    are_warm = threading.Barrier(threads + 1)

    def run(thread: int) -> None:
        try:
            once(thread)
            are_warm.wait()
            for _ in range(count // threads):
                once(thread)
        except Exception as error:
            are_warm.abort()
            failures.append(error)

    running = [threading.Thread(target=run, args=(thread,)) for thread in range(threads)]
    for thread in running:
        thread.start()
    with contextlib.suppress(threading.BrokenBarrierError):
        are_warm.wait()
    began = time.monotonic()
    for thread in running:
        thread.join()
    if failures:
        raise failures[0]
    return began, time.monotonic()


def _post_one_by_hand(connection: psycopg.Connection) -> None:
    ids, keys, fingerprints, kinds, subjects, _, accounts, amounts, at = _arguments([_move()])
    said = (*(column[0] for column in (ids, keys, fingerprints, kinds, subjects)), accounts, amounts, at)
    with connection.transaction():
        row = connection.execute(POST_ONE, said).fetchone()
    if row[0] != "posted":
        raise LedgerFailed(str(row))


def _post_batch_by_hand(connection: psycopg.Connection) -> None:
    moves = [_move() for _ in range(BATCH)]
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
