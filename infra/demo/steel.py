"""Plays the steel trade on a running platform over its public HTTP API and shows it as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from infra.assembly import open_service
from infra.cluster import Cluster
from infra.demo.samples import OPERATOR_EMAIL, Samples, SampleUser, make_password, read_samples, write_samples
from infra.environment import platform_environment
from infra.folder import DataFolder
from infra.operators import make_operator
from loadtests.api import Actor, Api, HttpCarrier, session_of
from loadtests.steel import SteelTrade, Step

Show = Callable[[str], None]
COLUMNS = "  {:<20} {:<12} {:<18} {:<42} {}"


def play_once(folder: DataFolder, url: str, *, show: Show) -> None:
    """Plays the trade unless one was played to its end in these data before."""
    if played := read_samples(folder).played:
        show(
            f"\nThe steel trade was played here before: {', '.join(played)}. Once more: haihe demo steel --data {folder.path}"
        )
        return
    play(folder, url, show=show)


def play(folder: DataFolder, url: str, *, show: Show) -> list[dict[str, Any]]:
    """Plays one trade from admission to payout between three new companies; its steps."""
    samples = read_samples(folder)
    api = Api(HttpCarrier(url))
    operator = Actor(api, "operator", session_of(api, OPERATOR_EMAIL, _operator_password(folder, samples, url)))
    samples.begun += 1
    write_samples(folder, samples)
    trade = SteelTrade(api, operator, number=samples.begun, password=make_password())
    show("\nThe steel trade, over HTTP:\n" + COLUMNS.format("step", "who", "state", "money", "goods"))
    steps = []
    for step in trade.play():
        show(_show_step(step))
        steps.append(asdict(step))
    samples.played.append(trade.buyer.desk.every("/v1/deals")[0]["id"])
    samples.users += [SampleUser(one.email, one.name, one.password) for one in trade.companies.values()]
    write_samples(folder, samples)
    return steps


def _operator_password(folder: DataFolder, samples: Samples, url: str) -> str:
    if not samples.operator_password:
        environ = platform_environment(folder, Cluster(folder.path), port=int(url.rpartition(":")[2]))
        with open_service("identity", environ) as (_, database):
            made = make_operator(database, email=OPERATOR_EMAIL, name="Sample operator")
        samples.operator_password = made["password"]
        write_samples(folder, samples)
    return samples.operator_password


def _show_step(step: Step) -> str:
    return COLUMNS.format(step.name, step.who, step.state, step.money, step.goods).rstrip()
