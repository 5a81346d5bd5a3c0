"""simulate: trucks, pallets and readers that do not exist, on a platform that runs, with the truth beside what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from infra.cli.place import Place, with_place
from infra.failures import Failure

if TYPE_CHECKING:
    from loadtests.api import Actor
    from services.logistics.rfid.simulator.world import Simulation

LEAD_US = 2_000_000
SETTLES_WITHIN_S = 90.0
KEY_WITHIN_S = 30.0


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same trucks and reads.")
@click.option(
    "--trucks", type=click.IntRange(1, 1_000), default=6, show_default=True, help="How many pass, at all gates."
)
@click.option(
    "--gates", type=click.IntRange(1, 16), default=2, show_default=True, help="Gates that stand side by side."
)
@click.option("--speed", type=click.FloatRange(0.1, 100), default=5.0, show_default=True,
              help="How much shorter the pauses between trucks are than the 25 s that they have in the mean.")  # fmt: skip
@click.option("--protocol", type=click.Choice(["http", "llrp"]), default="http", show_default=True,
              help="Whether readers post their reads, or the platform connects to them by LLRP.")  # fmt: skip
@click.option("--late", type=click.FloatRange(0, 300), default=10.0, show_default=True,
              help="Up to so many seconds late a tenth of the reads comes.")  # fmt: skip
@click.option("--email", help="Who sets the gates up.  [default: the sample users' warehouse]")
@click.option("--password", envvar="HAIHE_PASSWORD", show_envvar=True, help="The password of --email.")
@with_place
def simulate(place: Place, seed: int, trucks: int, gates: int, speed: float, protocol: str, late: float,
             email: str | None, password: str | None) -> None:  # fmt: skip
    """Lets trucks with tagged pallets pass gates that are registered for it; prints truth beside what the platform says.

    Reads are as bad as in practice: docs/simulator.md says how. Gates and readers stay; each run registers its own.

    \b
    Example:
      haihe up --demo --detach && haihe simulate --trucks 4 --protocol llrp
    """
    from services.logistics.rfid.simulator.noise import Noise
    from services.logistics.rfid.simulator.traffic import Traffic
    from services.logistics.rfid.simulator.world import Plan, simulate

    desk = _sign_in(place, email, password)
    traffic = Traffic(pause_s=25.0 / speed, waits=0.0 if trucks < 10 else Traffic().waits)
    noise = Noise(latest_s=max(late, 1.0), late=0.1 if late else 0.0)
    plan = Plan(seed=seed, gates=gates, trips=-(-trucks // gates), traffic=traffic, noise=noise)
    _play(place, desk, simulate(plan), protocol)


def _sign_in(place: Place, email: str | None, password: str | None) -> Actor:
    from infra.demo.samples import read_samples
    from loadtests.api import Actor, Api, HttpCarrier, session_of

    if email is None:
        users = [one for one in read_samples(place.folder).users if "warehouse" in one.email]
        if not users:
            raise Failure("The sample data have no warehouse yet. Play the demo first: haihe demo steel")
        email, password = users[-1].email, users[-1].password
    if not password:
        raise Failure("Give the password of --email with --password or HAIHE_PASSWORD.")
    api = Api(HttpCarrier(place.url))
    return Actor(api, "warehouse", session_of(api, email, password))


def _play(place: Place, desk: Actor, simulation: Simulation, protocol: str) -> None:
    from infra.simulation import playing
    from infra.simulation.comparing import compare, write_table
    from infra.simulation.setting_up import capture_papers, place_site

    say = (lambda line: None) if place.as_json else (lambda line: click.echo(f"· {line}", err=True))
    shift = [playing.now_us() - simulation.plan.start_us]
    lamps = _Lamps(say)
    server, ports = None, dict[str, int]()
    if protocol == "llrp":
        server, ports = playing.open_readers(simulation, lamps.switch, shift_us=lambda: shift[0])
    try:
        placed = place_site(desk, simulation, ports=ports, wait=_wait, name=f"Simulated {datetime.now(UTC):%H%M%S}")
        pallets = capture_papers(desk, simulation, datetime.now(UTC))
        say(f"{len(placed.gates)} gates, {len(placed.readers)} readers, papers of {pallets} pallets")
        if server is not None:
            for reader in ports:
                _wait(lambda reader=reader: server.is_reading(reader), f"the platform to connect to {reader}")  # type: ignore[misc]
        shift[0] = playing.now_us() + LEAD_US - simulation.plan.start_us
        last_us = max(trip.last_us for trip in simulation.trips)
        say(f"{len(simulation.trips)} trucks pass within {(last_us - simulation.plan.start_us) / 1e6:.0f} s")
        if server is not None:
            sent = playing.play_llrp(simulation, server, shift_us=shift[0])
        else:
            sent = playing.play_http(simulation, placed, shift_us=shift[0])
        say(f"{sent:,} reads were sent; waiting until the platform has settled them")
        passages = _settle(desk, list(placed.gates.values()))
        compared = compare(simulation, placed.gates, passages, shift_us=shift[0])
        told = {
            "seed": simulation.plan.seed,
            "gates": placed.gates,
            "reads": sent,
            "compared": compared,
            "lamps": lamps.shown,
        }
        place.tell(told, write_table(compared))
    finally:
        if server is not None:
            server.close()


class _Lamps:
    """What the lamps of LLRP readers show."""

    WORDS = {1: "release", 2: "stop", 3: "check"}

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self.shown = say, list[dict[str, Any]]()

    def switch(self, reader_id: str, port: int, high: bool) -> None:
        """An output was switched."""
        word = self.WORDS.get(port)
        if high and word:
            self.shown.append({"reader": reader_id, "at": datetime.now(UTC).isoformat(), "shows": word})
            self._say(f"lamp of {reader_id}: {word}")


def _wait(is_so: Callable[[], Any], what: str) -> Any:
    """What ``is_so`` says once it says something; news has to spread first. Raises Failure."""
    from loadtests.api import ApiRefused

    until, problem = time.monotonic() + KEY_WITHIN_S, "nothing yet"
    while time.monotonic() < until:
        try:
            if answer := is_so():
                return answer
        except ApiRefused as refused:
            if refused.status not in (503, 404):
                raise
            problem = str(refused)
        time.sleep(0.1)
    raise Failure(f"Waited {KEY_WITHIN_S:.0f} s for {what}: {problem}")


def _settle(desk: Actor, gate_ids: list[str]) -> list[dict[str, Any]]:
    """All passages of gates, once none is open and they have been the same for some seconds. Raises Failure."""
    before, since, until = None, time.monotonic(), time.monotonic() + SETTLES_WITHIN_S
    while time.monotonic() < until:
        passages = [one for id in gate_ids for one in desk.every("/v1/passages", gate_id=id)]
        is_open = any(one["state"] == "open" for one in passages)
        if passages != before or is_open:
            before, since = passages, time.monotonic()
        elif time.monotonic() - since > 5.0:
            return passages
        time.sleep(0.5)
    raise Failure(f"The gates did not settle within {SETTLES_WITHIN_S:.0f} s.")


COMMANDS = (simulate,)
