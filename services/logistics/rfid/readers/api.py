"""Readers of a gate over HTTP: registering and showing them, and what their gateways hand in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from flask import Blueprint, current_app
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Headers, Paging, Published, View, command, query, stream
from chassis.values import LongText, ShortText
from services.logistics.rfid.readers import commands, queries
from services.logistics.rfid.readers.bodies import MOST_BYTES, read_batch, unpack
from services.logistics.rfid.readers.commands import Setting
from services.logistics.rfid.readers.lamps import Lamp
from services.logistics.rfid.readers.model import Kind, Reader
from services.logistics.rfid.readers.posting import tell_posted
from services.logistics.rfid.readers.web import clocks_of_app

routes = Blueprint("readers", __name__)

Port = Annotated[int, Meta(ge=1, le=65_535)]
Output = Annotated[int, Meta(ge=1, le=64)]
Outputs = Annotated[list[Output], Meta(max_length=16)]
Address = Annotated[str, Meta(min_length=2, max_length=45, pattern=r"^[0-9A-Fa-f:.]+(?![\s\S])")]
Identity = Annotated[str, Meta(min_length=2, max_length=64, pattern=r"^[0-9A-Fa-f]+(?![\s\S])")]


class AntennaBody(Body):
    """An antenna: its number at the reader, what people call it, and its power; without one the reader's own."""

    number: Annotated[int, Meta(ge=1, le=65_535)]
    label: ShortText
    power_dbm: Annotated[float, Meta(ge=-10, le=40)] | None = None


class LampBody(Body):
    """Which outputs of the reader are on for each word of the gate; a word is shown ``lasts_s``, then *check*."""

    release: Outputs
    stop: Outputs
    check: Outputs
    lasts_s: Annotated[int, Meta(ge=1, le=120)] = 10


class ReaderSetting(Body):
    """What a reader is called and, when it speaks LLRP, where it is; ``identity`` is the id that it says it has.

    With a ``certificate`` (PEM) the connection is TLS, and only a reader that shows it, or one that it signed, is read.
    """

    name: ShortText
    host: Address | None = None
    port: Port | None = None
    identity: Identity | None = None
    certificate: LongText | None = None
    antennas: Annotated[list[AntennaBody], Meta(max_length=64)] = []
    lamp: LampBody | None = None


class RegisterReader(ReaderSetting):
    """A reader to register: the platform asks it (llrp), or its gateway hands its reads in (http, mqtt)."""

    kind: Literal["llrp", "http", "mqtt"]


class AntennaView(View):
    """An antenna of a reader."""

    number: int
    label: str
    power_dbm: float | None


class LampView(View):
    """The outputs that are on for each word."""

    release: list[int]
    stop: list[int]
    check: list[int]
    lasts_s: int


class ReaderView(View):
    """A reader with what is heard of it: ``connection`` is connected, silent for ten seconds, or unknown as yet.

    ``clock_offset_ms`` is what is added to its clock. ``lamp_shows`` is what its lamp was last told to show; ``rejected``
    counts messages that could not be taken, ``error`` says what went wrong last.
    """

    id: str
    gate_id: str
    name: str
    kind: str
    host: str | None
    port: int | None
    identity: str | None
    certificate: str | None
    antennas: list[AntennaView]
    lamp: LampView | None
    state: str
    connection: str
    last_heard_at: datetime | None
    clock_offset_ms: int | None
    boot: str | None
    lamp_shows: str | None
    error: str | None
    error_at: datetime | None
    rejected: int
    registered_at: datetime

    @classmethod
    def of(cls, details: queries.Details) -> ReaderView:
        return cls(**view_fields(details))


class RegisteredView(ReaderView):
    """A reader that was just registered. An MQTT reader signs in with its id and this password, which is shown once."""

    mqtt_password: str | None

    @classmethod
    def of_registered(cls, registered: commands.Registered) -> RegisteredView:
        details = queries.Details(registered.reader, None, None)
        return cls(**view_fields(details), mqtt_password=registered.password)


class CheckView(View):
    """One thing that was looked at."""

    name: str
    is_well: bool
    text: str


class TestView(View):
    """Whether a reader works, and what was looked at."""

    reader_id: str
    is_well: bool
    checks: list[CheckView]


class TakenView(View):
    """How many reads and edges were taken."""

    accepted: int
    edges: int


def view_fields(details: queries.Details) -> dict[str, object]:
    """The fields of a reader's view."""
    reader, pulse, lease = details.reader, details.pulse, details.lease
    own = ("id", "gate_id", "name", "kind", "host", "port", "identity", "certificate", "state", "registered_at")
    fields = {name: getattr(reader, name) for name in own}
    return fields | {
        "antennas": msgspec.convert(reader.antennas, list[AntennaView]),
        "lamp": msgspec.convert(reader.lamp, LampView | None),
        "connection": details.connection(clock.now()),
        "last_heard_at": pulse and pulse.last_heard_at,
        "clock_offset_ms": pulse and pulse.clock_offset_ms,
        "boot": pulse and pulse.boot,
        "lamp_shows": lease and lease.shown,
        "error": pulse and pulse.error,
        "error_at": pulse and pulse.error_at,
        "rejected": pulse.rejected if pulse is not None else 0,
    }


def _setting(body: ReaderSetting) -> Setting:
    lamp = body.lamp
    return Setting(
        name=body.name,
        host=body.host,
        port=body.port,
        identity=body.identity,
        certificate=body.certificate,
        antennas=tuple(commands.Antenna(one.number, one.label, one.power_dbm) for one in body.antennas),
        lamp=lamp and Lamp(tuple(lamp.release), tuple(lamp.stop), tuple(lamp.check), lamp.lasts_s),
    )


def _networks() -> str:
    return current_app.extensions["settings"].reader_networks


@routes.post("/v1/gates/<gate_id>/readers")
@command(role="warehouse", status=201, keeps_secret=True)
def register_reader(session: Session, caller: Caller, gate_id: str, body: RegisterReader) -> RegisteredView:
    """Register a reader of a gate.

    The gateway of an HTTP reader needs an API key made with ``device`` set to the reader's id. An MQTT reader signs in with
    its id and the password in this answer.
    """
    registered = commands.register_reader(
        session, caller, gate_id, kind=Kind(body.kind), setting=_setting(body), networks=_networks()
    )
    return RegisteredView.of_registered(registered)


@routes.get("/v1/gates/<gate_id>/readers")
@query()
def list_readers(session: Session, caller: Caller, gate_id: str, params: Paging) -> Page[ReaderView]:
    """The readers of a gate, newest first."""
    return queries.list_readers(session, caller, gate_id, params.cursor, params.limit).map(ReaderView.of)


@routes.get("/v1/gates/<gate_id>/readers/<reader_id>")
@query()
def show_reader(session: Session, caller: Caller, gate_id: str, reader_id: str) -> ReaderView:
    """One reader."""
    return ReaderView.of(queries.see_reader(session, caller, gate_id, reader_id))


@routes.put("/v1/gates/<gate_id>/readers/<reader_id>")
@command(role="warehouse")
def change_reader(session: Session, caller: Caller, gate_id: str, reader_id: str, body: ReaderSetting) -> ReaderView:
    """Give a reader another setting, whole; one that speaks LLRP is connected anew."""
    queries.see_reader(session, caller, gate_id, reader_id)
    reader = commands.change_reader(session, caller, reader_id, setting=_setting(body), networks=_networks())
    return _show(session, reader)


@routes.post("/v1/gates/<gate_id>/readers/<reader_id>/retire")
@command(role="warehouse")
def retire_reader(session: Session, caller: Caller, gate_id: str, reader_id: str) -> ReaderView:
    """Listen to a reader no more: what it says is refused from now on."""
    queries.see_reader(session, caller, gate_id, reader_id)
    return _show(session, commands.retire_reader(session, caller, reader_id))


def _show(session: Session, reader: Reader) -> ReaderView:
    return ReaderView.of(queries.add_details(session, [reader])[0])


@routes.get("/v1/gates/<gate_id>/readers/<reader_id>/test")
@query()
def test_reader(session: Session, caller: Caller, gate_id: str, reader_id: str) -> TestView:
    """Whether a reader works: who listens to it, whether it is connected and heard, how its clock goes, what its lamp shows."""
    details, checks = queries.check_reader(session, caller, gate_id, reader_id)
    views = [CheckView(name=one.name, is_well=one.is_well, text=one.text) for one in checks]
    return TestView(reader_id=details.reader.id, is_well=all(one.is_well for one in checks), checks=views)


@routes.post("/v1/gates/<gate_id>/readers/<reader_id>/reads")
@stream(role="warehouse", status=202, max_bytes=MOST_BYTES)
def post_readers_reads(
    session: Session, caller: Caller, headers: Headers, gate_id: str, reader_id: str, body: bytes
) -> Published[TakenView]:
    """Hand in what a reader has seen, with the API key of that reader: our own batch, or as an Impinj R700 or a Zebra FX sends it.

    It may be packed with gzip. An empty batch of ours says that the reader lives.
    """
    queries.see_speaker(session, caller, gate_id, reader_id)
    batch = read_batch(unpack(body, headers.get("Content-Encoding", "").strip().lower()))
    view = TakenView(accepted=len(batch.reads), edges=len(batch.edges))
    return Published(view, tell_posted(session, gate_id, reader_id, batch, now=clock.now(), clocks=clocks_of_app()))
