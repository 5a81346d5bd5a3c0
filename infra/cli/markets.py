"""market: the packs that industries are traded by, checked in a file, looked at, and published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from chassis.auth import Caller
from chassis.values import write_wire
from infra.assembly import open_service
from infra.cli.place import Place, reach, with_place
from infra.failures import Failure

if TYPE_CHECKING:
    from services.catalog.markets.pack import Pack

_file = click.argument("file", type=click.Path(path_type=Path, exists=True))


@click.group()
def market() -> None:
    """The markets: each an industry as data, in a file that its trade's experts write.

    \b
    Example:
      haihe market check steel.toml
    """


@market.command("check")
@_file
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def check_market(file: Path, as_json: bool) -> None:
    """Looks for mistakes in a pack: a TOML file, or a folder of them that together are one. Exit status 1: there is
    one, told with file, key and reason.

    \b
    Example:
      haihe market check services/catalog/markets/packs/steel.toml
    """
    pack = _load(file)
    told = {"market": pack.market, "types": len(pack.types), "attributes": len(pack.attributes)}
    text = f"{file.name} is right: market {pack.market}, {len(pack.types)} product types, {len(pack.attributes)} attributes."
    Place(Path(), None, as_json).tell(told, text)


@market.command("show")
@click.argument("name")
@click.option("--version", type=click.IntRange(1), help="Of the market.  [default: the latest]")
@with_place
def show_market(place: Place, name: str, version: int | None) -> None:
    """Shows a market as the platform has it: its product types with their attributes, papers, licences, modes.

    \b
    Example:
      haihe market show steel
    """
    from services.catalog.markets.outline import outline
    from services.catalog.markets.queries import find_published

    with reach(place) as environ, open_service("catalog", environ) as (_, database):
        told = database.look(lambda session: find_published(session, name, version))
    place.tell(msgspec.to_builtins(told.pack, enc_hook=write_wire), outline(told.pack, told.version))


@market.command("publish")
@_file
@with_place
def publish_market(place: Place, file: Path) -> None:
    """Publishes a pack as the next version of its market. What was made under an older version keeps that; releases of
    the platform no longer change this market.

    \b
    Example:
      haihe market publish steel.toml
    """
    from services.catalog.markets.commands import publish_pack

    pack = _load(file)
    caller = Caller.system("catalog")
    with reach(place) as environ, open_service("catalog", environ) as (_, database):
        made = database.run(lambda session: publish_pack(session, caller, pack))
        told = {"market": made.market, "version": made.version, "is_new": made.is_new}
    text = f"Market {pack.market} is now version {told['version']}."
    place.tell(told, text if told["is_new"] else f"Market {pack.market} is version {told['version']} already.")


def _load(file: Path) -> Pack:
    from services.catalog.markets.loader import PackError, load_pack

    try:
        return load_pack(file)
    except PackError as mistake:
        raise Failure(str(mistake)) from None


COMMANDS = (market,)
