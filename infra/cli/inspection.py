"""check and bench: what is wrong, and how fast it is."""

from __future__ import annotations

import importlib
from dataclasses import asdict

import click

from infra.check.rounds import Report, await_settled
from infra.check.rounds import check as check_platform
from infra.cli.place import Place, reach, with_place
from infra.failures import Failure

BROKEN = 1


@click.command()
@click.option("--grace", type=click.FloatRange(0, 3600), default=60.0, show_default=True,
              help="Seconds after which what is still on its way counts as broken.")  # fmt: skip
@click.option("--settled", is_flag=True, help="First wait until every outbox is empty and nobody lags.")
@with_place
def check(place: Place, grace: float, settled: bool) -> None:
    """Looks for broken invariants of money, stock, holds and messages in all databases, and names the ids. Exit
    status 1: some are.

    \b
    Example:
      haihe check --settled --json
    """
    with reach(place) as environ:
        if settled:
            await_settled(environ)
        report = check_platform(environ, grace_s=grace)
    place.tell(asdict(report), _show_report(report))
    if report.broken:
        raise click.exceptions.Exit(BROKEN)


def _show_report(report: Report) -> str:
    lines = [f"{report.checked} invariants hold."] if not report.broken else []
    for broken in report.broken:
        more = f" and {broken.count - len(broken.ids)} more" if broken.count > len(broken.ids) else ""
        lines.append(f"BROKEN {broken.service} {broken.name}: {broken.sentence}\n  {', '.join(broken.ids)}{more}")
    return "\n".join(lines)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measures this machine's Haihe beside hand-written references of the same run; the arguments are the benchmarks'
    own.

    \b
    Example:
      haihe bench
    """
    try:
        benchmarks = importlib.import_module("loadtests.benchmarks")
    except ModuleNotFoundError as error:
        raise Failure(f"The benchmarks need more packages ({error.name}): pip install -e '.[load]'") from error
    raise click.exceptions.Exit(benchmarks.main(list(arguments)) or 0)


COMMANDS = (check, bench)
