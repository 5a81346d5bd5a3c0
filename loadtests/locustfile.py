"""The load test: who does what how often, the options of a run, and its verdict. docs/load.md says how to use it."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, fields
from random import Random
from typing import Any, ClassVar

from locust import FastHttpUser, between, constant_throughput, events, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from loadtests import judging, local
from loadtests.api import Api, ApiRefused, keep_session
from loadtests.journeys import browse, popular, whole_trade
from loadtests.journeys.carrier import LocustCarrier
from loadtests.journeys.fair import Fair
from loadtests.journeys.load_trade import Account
from loadtests.limits import JOURNEY, Limits

log = logging.getLogger(__name__)
# A whole trade that was begun is brought to its end before the platform is judged.
FINISHES_WITHIN_S = 60.0
THINKS_S = (0.5, 2.0)
FAILED = 1

match os.environ.get("HAIHE_LOAD_SHAPE", ""):
    case "":
        pass
    case "saturation":
        from loadtests.shapes import Saturation  # noqa: F401  Locust takes the shapes that it finds here
    case unknown:
        sys.exit(f"HAIHE_LOAD_SHAPE is {unknown!r}; there is: saturation")


class Run:
    """What this process knows of the run: its own fair, and in a master the accounts of all workers."""

    fair: ClassVar[Fair | None] = None
    accounts: ClassVar[dict[str, Account]] = {}
    is_stopping: ClassVar[bool] = False
    is_judged: ClassVar[bool] = False


class Person(FastHttpUser):
    """Somebody who trades for one company."""

    abstract = True
    network_timeout = 30.0
    connection_timeout = 10.0

    def wait_time(self) -> float:
        """Thinks, or keeps to --rate."""
        rate = self.environment.parsed_options.rate
        return (constant_throughput(rate) if rate else between(*THINKS_S))(self)

    def on_start(self) -> None:
        """Comes to the fair; one who cannot stays away, which is an error."""
        self.chance = Random()
        self.trade = None
        with contextlib.suppress(Exception), timed(self.environment, "come to the fair"):
            self.trade = Run.fair.enter(Api(LocustCarrier(self.client)))
            self.trade.tell = lambda name, seconds: log_journey(self.environment, name, seconds)

    def make(self, journey: Any) -> None:
        """One journey, timed; how it failed is among the errors of the run."""
        if self.trade is None:
            raise StopUser
        with contextlib.suppress(Exception), timed(self.environment, journey.__name__):
            journey(self.trade, Run.fair, self.chance)


class Visitor(Person):
    """Looks around."""

    weight = 4

    @task
    def browse(self) -> None:
        self.make(browse.browse)


class CoilTaker(Person):
    """Wants coils that others want too."""

    weight = 3

    @task
    def take_coils(self) -> None:
        self.make(popular.take_coils)


class WeightTaker(Person):
    """Wants tonnes that others want too."""

    weight = 2

    @task
    def take_weight(self) -> None:
        self.make(popular.take_weight)


class Trader(Person):
    """Trades from upload to payout."""

    weight = 3

    @task(3)
    def trade_coils(self) -> None:
        self.make(whole_trade.trade_coils)

    @task(1)
    def trade_weight(self) -> None:
        self.make(whole_trade.trade_weight)


JOURNEYS = {
    "Visitor": ["browse"],
    "CoilTaker": ["take_coils"],
    "WeightTaker": ["take_weight"],
    "Trader": ["trade_coils"],
}


@contextlib.contextmanager
def timed(environment: Environment, name: str) -> Iterator[None]:
    """Logs how long the block took, and the failure that it ended with."""
    began = time.perf_counter()
    try:
        yield
    except Exception as error:
        environment.stats.log_error(JOURNEY, name, _name_failure(error))
        log.warning("%s: %s: %s", name, type(error).__name__, error)
        raise
    finally:
        log_journey(environment, name, time.perf_counter() - began)


def _name_failure(error: Exception) -> str:
    """What a failure is called in the report, the same for all of its kind."""
    if isinstance(error, ApiRefused):
        return f"refused with {error.status} {error.problem}"
    return type(error).__name__


def log_journey(environment: Environment, name: str, seconds: float) -> None:
    """A row of its own in the report that is not among the requests."""
    environment.stats.get(name, JOURNEY).log(seconds * 1000, 0)


@events.init_command_line_parser.add_listener
def add_options(parser: Any) -> None:
    """The options of a run beside Locust's own; each limit is one."""
    group = parser.add_argument_group("Haihe")
    group.add_argument(
        "--rate", type=float, default=0.0, help="Journeys a second that each user keeps to, instead of thinking."
    )
    for limit in fields(Limits):
        name = f"--{limit.name.replace('_', '-')}"
        group.add_argument(
            name, type=float, default=limit.default, help=f"Most that is good. Default {limit.default:g}."
        )


@events.init.add_listener
def prepare(environment: Environment, **_: Any) -> None:
    """Finds the operator, gives journeys time to end, and lets workers tell the master what they did."""
    environment.stop_timeout = environment.stop_timeout or FINISHES_WITHIN_S
    operator = local.find_operator(environment.host or "")
    if operator is None:
        log.error(
            "Set HAIHE_OPERATOR_EMAIL and HAIHE_OPERATOR_PASSWORD, or HAIHE_DATA to the sample data of %s.",
            environment.host,
        )
        sys.exit(FAILED)
    Run.fair = Fair(keep_session(*operator))
    if isinstance(environment.runner, WorkerRunner):
        events.report_to_master.add_listener(lambda client_id, data: data.update(fair=asdict(Run.fair.account)))
        events.test_stop.add_listener(report_last)
    else:
        events.worker_report.add_listener(lambda client_id, data: hear_of(client_id, data.get("fair")))
        events.test_start.add_listener(begin)
        events.test_stopping.add_listener(stop_workers)
        events.test_stop.add_listener(end)


def hear_of(client_id: str, told: dict[str, Any] | None) -> None:
    """What a worker has done so far."""
    if told:
        Run.accounts[client_id] = Account(**told)


def report_last(environment: Environment, **_: Any) -> None:
    """Tells the master the end of it: it hears no more of a worker that has stopped, until that one is ready again."""
    environment.runner._send_stats()
    # So long a worker waits before it is ready, although its users have gone.
    environment.stop_timeout = 0.0


def begin(environment: Environment, **_: Any) -> None:
    """Until it is judged, a run has failed."""
    environment.process_exit_code = FAILED
    Run.is_stopping = Run.is_judged = False


def stop_workers(environment: Environment, **_: Any) -> None:
    """A master that quits would leave its workers trading: it first stops them and waits until their users have gone."""
    if isinstance(environment.runner, MasterRunner) and not Run.is_stopping:
        Run.is_stopping = True
        environment.runner.stop()


def end(environment: Environment, **_: Any) -> None:
    """Judges the run once, prints the verdict and puts what was missed among the errors of the report."""
    if Run.is_judged:
        return
    Run.is_judged = True
    wanted = [name for each in environment.user_classes for name in JOURNEYS[each.__name__]]
    findings = judging.judge(environment, Run.accounts.values() or [Run.fair.account], wanted)
    for missed in (each for each in findings if not each.is_met):
        environment.stats.log_error("LIMIT", missed.name, f"{missed.measured} (limit: {missed.stated})")
    print(f"\nWhat the load came to:\n{judging.show(findings)}\n", flush=True)
    environment.process_exit_code = 0 if all(each.is_met for each in findings) else FAILED
