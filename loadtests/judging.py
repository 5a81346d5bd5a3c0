"""What follows a load: the platform comes to rest, books and limits are looked at, and the exit status says how it went.

It runs in the one process that knows all figures: the only one, or the master of several.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from loadtests import local
from loadtests.api import Actor, Api, HttpCarrier, SharingActor, keep_session
from loadtests.draining import PARKED, Drain, await_drained, look_at, read_metrics
from loadtests.invariants import find_broken, read_books
from loadtests.journeys.load_trade import Account
from loadtests.limits import Finding, Limits, compare, find_idle, measure

log = logging.getLogger(__name__)
MOST_SAID = 400


def judge(environment: Any, accounts: Iterable[Account], wanted: Iterable[str]) -> list[Finding]:
    """Everything that was found out, limit by limit; ``wanted`` are the journeys that were to be made."""
    account, limits = add_up(accounts), Limits.of(environment.parsed_options)
    api = Api(HttpCarrier(environment.host))
    email, password = local.find_operator(environment.host) or ("", "")
    operator = SharingActor(api, "operator", keep_session(email, password), "platform")
    drain = await_drained(lambda: look_at(api, operator, account.parties, account.began), limits.drain_s)
    measured = measure(environment.stats.entries.values())
    findings = [find_idle(measured, wanted), *compare(measured, limits)]
    if environment.shape_class is not None:
        # Where a load goes to saturation, latency is what gives way.
        findings = [each for each in findings if not each.name.startswith("p95")]
    return [*findings, judge_drain(drain, limits), judge_books(operator, account), *judge_inside(api, environment.host)]


def add_up(accounts: Iterable[Account]) -> Account:
    """The accounts of all processes as one."""
    known = [account for account in accounts if account.began]
    return Account(
        parties=[party for account in known for party in account.parties],
        mills=[mill for account in known for mill in account.mills],
        paid_in=sum(account.paid_in for account in known),
        takes=sum(account.takes for account in known),
        began=min((account.began for account in known), default="9999-12-31T00:00:00+00:00"),
    )


def judge_drain(drain: Drain, limits: Limits) -> Finding:
    """That all was quiet in time."""
    how = "" if drain.saw_queues else " (deals alone: /metrics is not shown)"
    said = f"not after {drain.seconds:.1f} s: {', '.join(drain.left[:5])}" if drain.left else f"{drain.seconds:.1f} s"
    return Finding("drained", said + how, f"{limits.drain_s:g} s", not drain.left and drain.seconds <= limits.drain_s)


def judge_books(operator: Actor, account: Account) -> Finding:
    """That money and goods add up over the API."""
    books = read_books(
        operator, set(account.parties), account.mills, account.began, paid_in=account.paid_in, takes=account.takes
    )
    broken = find_broken(books)
    said = f"{len(books.deals)} deals of {len(account.parties)} companies add up"
    return Finding("books", "; ".join(broken[:5]) or said, "none broken", not broken)


def judge_inside(api: Api, host: str) -> list[Finding]:
    """What can be seen only beside the platform: parked messages, and `haihe check --settled` on its data."""
    findings = []
    if (metrics := read_metrics(api)) is not None:
        parked = {name: value for name, value in metrics.items() if name.startswith(PARKED) and value}
        findings.append(Finding("parked keys", str(parked) if parked else "none", "none", not parked))
    if (folder := local.find_data(host)) is not None:
        status, said = local.run_check(folder)
        findings.append(Finding("haihe check", said[:MOST_SAID], "none broken", status == 0))
    else:
        log.warning("haihe check was not run: HAIHE_DATA is not the data folder of %s", host)
    return findings


def show(findings: list[Finding]) -> str:
    """The findings as a table."""
    rows = [("ok" if each.is_met else "MISSED", each.name, each.measured, each.stated) for each in findings]
    return "\n".join(f"  {how:<7} {name:<27} {is_}   (limit: {most})" for how, name, is_, most in rows)
