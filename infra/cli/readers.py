"""readers: the RFID readers of gates, listed, registered, tried out and retired; and the users of an MQTT broker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import click
import msgspec

from chassis import settings
from chassis.auth import Caller
from infra.assembly import open_service
from infra.cli.place import Place, reach, with_place
from infra.failures import Failure

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from infra.probing import Answered
    from services.logistics.rfid.readers.queries import Details

LLRP_PORT = 5084
NOT_WELL = 1
MOST_LISTED = 10_000


@click.group()
def readers() -> None:
    """The RFID readers of gates.

    \b
    Example:
      haihe readers list
    """


@readers.command("list")
@click.option("--gate", "gate_id", help="Of this gate only.")
@with_place
def list_readers(place: Place, gate_id: str | None) -> None:
    """Every reader that is listened to, with what is heard of it.

    \b
    Example:
      haihe readers list --json
    """
    with reach(place) as environ, open_service("logistics", environ) as (_, database):
        found = database.look(lambda session: _list(session, gate_id))
    place.tell(found, "\n".join(map(_show, found)) or "No reader is registered.")


def _list(session: Session, gate_id: str | None) -> list[dict[str, Any]]:
    from services.logistics.rfid.readers.queries import list_active

    return [_told(one) for one in list_active(session, gate_id, limit=MOST_LISTED)]


def _told(details: Details) -> dict[str, Any]:
    from services.logistics.rfid.readers.api import ReaderView

    return msgspec.to_builtins(ReaderView.of(details))


def _show(reader: dict[str, Any]) -> str:
    where = f" {reader['host']}:{reader['port']}" if reader["host"] else ""
    heard = f", last heard {reader['last_heard_at']}" if reader["last_heard_at"] else ""
    error = f"\n  {reader['error_at']}: {reader['error']}" if reader["error"] else ""
    return f"{reader['id']}  {reader['gate_id']}  {reader['name']}  {reader['kind']}{where}  {reader['connection']}{heard}{error}"


@readers.command("add")
@click.option("--gate", "gate_id", required=True, help="The gate that it is at.")
@click.option("--name", required=True, help="What people call it.")
@click.option("--kind", type=click.Choice(["llrp", "http", "mqtt"]), default="llrp", show_default=True,
              help="How its reads come: the platform asks it, or its gateway hands them in.")  # fmt: skip
@click.option("--address", help="IP[:PORT] of an LLRP reader.  [default port: 5084]")
@click.option("--antenna", "antennas", multiple=True, metavar="NUMBER=LABEL[@DBM]", help="An antenna; may be repeated.")
@click.option("--release", multiple=True, type=click.IntRange(1, 64), help="An output that is on for release.")
@click.option("--stop", multiple=True, type=click.IntRange(1, 64), help="An output that is on for stop.")
@click.option("--check", multiple=True, type=click.IntRange(1, 64), help="An output that is on for check.")
@click.option("--lasts", type=click.IntRange(1, 120), default=10, show_default=True,
              help="Seconds that the lamp shows a word.")  # fmt: skip
@with_place
def add_reader(place: Place, gate_id: str, name: str, kind: str, address: str | None, antennas: tuple[str, ...],
               release: tuple[int, ...], stop: tuple[int, ...], check: tuple[int, ...], lasts: int) -> None:  # fmt: skip
    """Registers a reader. The API key of an HTTP gateway, or the password of an MQTT one, is shown this once.

    \b
    Example:
      haihe readers add --gate gate_01J… --name east --address 192.168.10.21 \\
        --antenna 1=in --antenna 2=out@27.5 --release 1 --stop 2 --check 3
    """
    from services.logistics.rfid.readers import commands
    from services.logistics.rfid.readers.lamps import Lamp
    from services.logistics.rfid.readers.model import Kind
    from services.logistics.rfid.readers.queries import Details

    host, port = read_address(address) if address else (None, None)
    setting = commands.Setting(
        name=name,
        host=host,
        port=port,
        antennas=tuple(_read_antenna(one) for one in antennas),
        lamp=Lamp(release, stop, check, lasts) if release or stop or check else None,
    )
    caller = Caller.system("logistics")
    with reach(place) as environ:
        networks = settings.read("logistics", environ).reader_networks
        with open_service("logistics", environ) as (_, database):
            made, told = database.run(
                lambda session: (
                    registered := commands.register_reader(
                        session, caller, gate_id, kind=Kind(kind), setting=setting, networks=networks
                    ),
                    _told(Details(registered.reader, None, None)),
                )
            )
        key = _make_key(environ, made.reader.party_id, told) if kind == "http" else None
    answer = {**told, "mqtt_password": made.password, "api_key": key}
    place.tell(answer, "\n".join(_say_added(answer)))


def _say_added(told: dict[str, Any]) -> list[str]:
    lines = [f"Reader {told['id']} ({told['name']}) is registered at {told['gate_id']}."]
    if told["api_key"]:
        lines.append(f"Its gateway's API key, shown this once: {told['api_key']}")
        lines.append(f"It posts to /v1/gates/{told['gate_id']}/readers/{told['id']}/reads.")
    if told["mqtt_password"]:
        lines.append(f"Its MQTT user is {told['id']}, its password, shown this once: {told['mqtt_password']}")
        lines.append(f"It publishes to haihe/{told['gate_id']}/{told['id']}/reads, once the broker knows it:")
        lines.append("  haihe readers passwords FILE, and let Mosquitto read the file again (SIGHUP).")
    return lines


def _make_key(environ: Any, party_id: str, told: dict[str, Any]) -> str:
    """A key for the gateway alone: its tokens speak for the reader and do nothing else."""
    from services.identity.api_keys.commands import make_key

    admin = Caller("system:identity", party_id, frozenset({"admin"}), "system")
    with open_service("identity", environ) as (_, database):
        made = database.run(
            lambda session: make_key(session, admin, name=told["name"], roles=["warehouse"], device=told["id"])
        )
    return made.secret


def read_address(address: str) -> tuple[str, int]:
    """IP or IP:PORT; IPv6 with a port stands in brackets. Raises Failure."""
    host, port = address, str(LLRP_PORT)
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif address.count(":") == 1:
        host, _, port = address.partition(":")
    if not host or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise Failure(f"An address is IP or IP:PORT, not {address!r}.")
    return host, int(port)


def _read_antenna(text: str) -> Any:
    from services.logistics.rfid.readers.commands import Antenna

    number, _, rest = text.partition("=")
    label, _, power = rest.partition("@")
    try:
        return Antenna(int(number), label or f"antenna {int(number)}", float(power) if power else None)
    except ValueError:
        raise Failure(f"An antenna is NUMBER=LABEL or NUMBER=LABEL@DBM, not {text!r}.") from None


@readers.command("test")
@click.argument("reader")
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=3.0, show_default=True,
              help="How long to read from an address.")  # fmt: skip
@with_place
def test_reader(place: Place, reader: str, seconds: float) -> None:
    """Tries a reader out: one that is registered by its id, or whatever answers LLRP at an address. Exit status 1: it
    does not work. An address is called from this machine; a reader that a worker listens to refuses a second caller.

    \b
    Example:
      haihe readers test reader_01J…
      haihe readers test 192.168.10.21 --seconds 10
    """
    if not reader.startswith("reader_"):
        from infra.probing import probe_reader

        answered = probe_reader(*read_address(reader), seconds=seconds)
        place.tell(msgspec.to_builtins(answered, str_keys=True), _say_answered(answered))
        return
    with reach(place) as environ, open_service("logistics", environ) as (_, database):
        checks = database.look(lambda session: _check(session, reader))
    is_well = all(one["is_well"] for one in checks)
    text = "\n".join(f"{'ok ' if one['is_well'] else 'NOT'}  {one['name']:<9}{one['text']}" for one in checks)
    place.tell({"reader_id": reader, "is_well": is_well, "checks": checks}, text)
    if not is_well:
        raise click.exceptions.Exit(NOT_WELL)


def _check(session: Session, reader_id: str) -> list[dict[str, Any]]:
    from chassis.database import see
    from services.logistics.rfid.readers.model import Reader
    from services.logistics.rfid.readers.queries import check_reader

    caller = Caller.system("logistics")
    gate_id = see(session, Reader, reader_id, caller).gate_id
    return msgspec.to_builtins(check_reader(session, caller, gate_id, reader_id)[1])


def _say_answered(told: Answered) -> str:
    of = f"{told.antennas} antennas, {told.inputs} inputs, {told.outputs} outputs"
    read = ", ".join(f"antenna {antenna}: {count}" for antenna, count in told.sights.items()) or "nothing"
    offset = "" if told.clock_offset_ms is None else f"\nIts clock is {told.clock_offset_ms} ms off."
    return (
        f"A reader answers at {told.address}: LLRP {told.version}, {of}, firmware {told.firmware or 'not told'}.\n"
        f"In {told.seconds:g} s it read {told.tags} tags ({read}).{offset}"
    )


@readers.command("retire")
@click.argument("reader")
@with_place
def retire_reader(place: Place, reader: str) -> None:
    """Listens to a reader no more; what it says is refused from now on.

    \b
    Example:
      haihe readers retire reader_01J…
    """
    from services.logistics.rfid.readers.commands import retire_reader as retire

    caller = Caller.system("logistics")
    with reach(place) as environ, open_service("logistics", environ) as (_, database):
        database.run(lambda session: retire(session, caller, reader) and None)
    place.tell({"reader_id": reader, "state": "retired"}, f"Reader {reader} is retired.")


@readers.command("passwords")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_place
def write_passwords(place: Place, file: Path) -> None:
    """Writes the password file of a Mosquitto anew: the platform's own user, as HAIHE_MQTT names it, and every MQTT
    reader. Mosquitto reads it again when it is sent SIGHUP.

    \b
    Example:
      haihe readers passwords /etc/mosquitto/passwords && pkill -HUP -x mosquitto
    """
    from services.logistics.rfid.readers.credentials import hash_password
    from services.logistics.rfid.readers.mqtt import read_url
    from services.logistics.rfid.readers.queries import list_passwords

    with reach(place) as environ:
        url = read_url(settings.read("logistics", environ).mqtt)
        if not url.username or not url.password:
            raise Failure("HAIHE_MQTT must name the platform's user and password: mqtt://haihe:…@host.")
        with open_service("logistics", environ) as (_, database):
            users = database.look(list_passwords)
    lines = {unquote(url.username): hash_password(unquote(url.password)), **users}
    part = file.with_name(f"{file.name}.part")
    part.write_text("".join(f"{name}:{told}\n" for name, told in sorted(lines.items())))
    part.chmod(0o644)
    os.replace(part, file)
    place.tell({"file": str(file), "users": len(lines)}, f"{file} has {len(lines)} users.")


COMMANDS = (readers,)
