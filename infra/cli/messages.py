"""What an operator does about messages: look at those that were set aside, replay or drop them, and have a speaker
say things again.
"""

from __future__ import annotations

import getpass
from typing import Any

import click

from chassis.migrate import SERVICES
from infra import dead_letters, republishing
from infra.assembly import open_service
from infra.cli.place import Place, reach, with_place
from infra.failures import Failure

service_argument = click.argument("service", type=click.Choice(SERVICES))
group_argument = click.argument("group", type=click.Choice([f"{name}{part}" for name in SERVICES for part in ("", "-streams")]),
                                metavar="GROUP")  # fmt: skip


@click.group()
def dead() -> None:
    """Messages that could not be handled: list, show, replay, drop.

    \b
    Example:
      haihe dead list
    """


@dead.command("list")
@with_place
def list_dead(place: Place) -> None:
    """Every key that waits or is parked, of all services.

    \b
    Example:
      haihe dead list --json
    """
    found: list[dict[str, Any]] = []
    with reach(place) as environ:
        for name in SERVICES:
            with open_service(name, environ) as (_, database):
                found += [{"service": name, **key} for key in dead_letters.list_keys(database)]
    place.tell(found, "\n".join(map(_show_key, found)) or "Nothing is set aside.")


def _service_of(group: str) -> str:
    return group.removesuffix("-streams")


def _show_key(key: dict[str, Any]) -> str:
    until = f"waits until {key['due_at']:%H:%M:%S} UTC" if key["due_at"] else "parked"
    return f"{key['group']}  {key['topic']}  {key['key']}  {key['messages']} messages, {until}: {key['reason']}"


@dead.command("show")
@group_argument
@click.argument("topic")
@click.argument("key")
@with_place
def show_dead(place: Place, group: str, topic: str, key: str) -> None:
    """The messages of one key, oldest first, with their headers.

    \b
    Example:
      haihe dead show settlement orders deal_01J…
    """
    with reach(place) as environ, open_service(_service_of(group), environ) as (_, database):
        found = dead_letters.show_key(database, group, topic, key)
    place.tell(found, "\n".join(f"{one['headers']['ce_type']}  {one['at']:%F %T}  {one['value']}" for one in found))


@dead.command("replay")
@group_argument
@click.argument("topic")
@click.argument("key")
@click.option("--why", required=True, help="For the log.")
@with_place
def replay_dead(place: Place, group: str, topic: str, key: str, why: str) -> None:
    """Handles the messages of one key in order; when all went well the key is free again.

    \b
    Example:
      haihe dead replay settlement orders deal_01J… --why "mended in 0.1.1"
    """
    with reach(place) as environ, open_service(_service_of(group), environ) as (known, database):
        done = dead_letters.replay_key(known, database, group, topic, key, who=getpass.getuser(), why=why)
    place.tell({"replayed": done}, f"{done} messages were handled; the key is free.")


@dead.command("drop")
@group_argument
@click.argument("topic")
@click.argument("key")
@click.option("--why", required=True, help="For the log.")
@with_place
def drop_dead(place: Place, group: str, topic: str, key: str, why: str) -> None:
    """Throws away the oldest message of one key; those after it stay.

    \b
    Example:
      haihe dead drop settlement orders deal_01J… --why "the deal was settled by hand"
    """
    with reach(place) as environ, open_service(_service_of(group), environ) as (_, database):
        dropped = dead_letters.drop_head(database, group, topic, key, who=getpass.getuser(), why=why)
    place.tell(dropped, f"Dropped {dropped['headers'].get('ce_type')} {dropped['headers'].get('ce_id')}.")


@click.command()
@service_argument
@click.argument("noun")
@with_place
def republish(place: Place, service: str, noun: str) -> None:
    """Has a service say the present state of all its things of one kind again, so that projections can be made anew.

    \b
    Example:
      haihe republish orders offer
    """
    with reach(place) as environ, open_service(service, environ) as (known, database):
        if noun not in known.describers:
            raise Failure(
                f"{service} does not describe {noun!r}; it describes {', '.join(known.describers) or 'nothing'}."
            )
        told = republishing.republish(database, known, noun)
    place.tell({"republished": told}, f"{noun}: {told} were told again.")


COMMANDS = (dead, republish)
