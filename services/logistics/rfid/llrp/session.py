"""One connection to a reader without its socket: what is sent at each step, and what happens on what comes.

Bytes and times go in, bytes and happenings come out; nothing waits. Setting up is a conversation written as a generator
that yields a request and is given its answer.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

import msgspec
import structlog

from services.logistics.rfid.llrp.codec import Item, make, read_message, write_message
from services.logistics.rfid.llrp.definitions import MESSAGE_BY_NUMBER
from services.logistics.rfid.llrp.plan import Plan, is_ours, output_config, power_indices, reader_config, ro_spec
from services.logistics.rfid.llrp.reports import read_reports
from services.logistics.rfid.llrp.sights import UPTIME, UTC, Sight, Sights
from services.logistics.rfid.llrp.wire import HEADER, Frame, Frames, Malformed, write_frame

ANSWER_S = 10.0
SILENT_KEEPALIVES = 3
MOST_MALFORMED = 20
_REPORT, _NOTIFICATION, _KEEPALIVE, _ERROR = 61, 63, 62, 100
_DISABLED, _ACTIVE, _IDENTIFICATION = 0, 2, 1
MOST_INPUTS = 64
MOST_UNPROVEN_BYTES = 16 << 20
"""So much is kept of a reader that has still to say who it is: three times what one holds through a break."""
log = structlog.get_logger(__name__)

Conversation = Generator[Item, Item, None]


class Broken(Exception):
    """The connection is of no more use: silence, a refusal, or bytes that are not LLRP."""


class InputChanged(msgspec.Struct, frozen=True):
    """A photo-eye or switch at an input went high or low."""

    reader_id: str
    port: int
    is_high: bool
    at_us: int


class Noticed(msgspec.Struct, frozen=True):
    """Something that the reader said about itself: the name of its event, and its fields."""

    reader_id: str
    event: str
    values: dict[str, object]


Happening = Sight | InputChanged | Noticed


class Session:
    """A connection from its first byte to its end; ``outgoing`` is what is to be sent. Times are microseconds of our clock."""

    def __init__(self, plan: Plan, sights: Sights, *, asks_version: bool, now_us: int) -> None:
        self.plan, self.sights = plan, sights
        self.outgoing = bytearray()
        self.version = 1
        self.capabilities: Item | None = None
        self.is_ready = False
        self.is_asking_version = False
        self.malformed = 0
        self.outputs: list[dict[int, bool]] = []
        self._told: list[Happening] = []
        self._unproven: list[tuple[Frame, int]] = []
        self._unproven_bytes = 0
        self._is_proven = not plan.identity
        self._broken: Broken | None = None
        self._frames = Frames()
        self._asks_version = asks_version
        self._talk: Conversation | None = None
        self._awaited: tuple[int, int] | None = None
        self._id = 0
        self._answer_due = now_us + int(ANSWER_S * 1e6)
        self.heard_at_us = now_us

    def receive(self, data: bytes, now_us: int) -> list[Happening]:
        """Take bytes in. What ends the connection is told by ``check_time``, for what came before it still counts."""
        self.heard_at_us = now_us
        happened: list[Happening] = []
        try:
            for frame in self._frames.feed(data):
                happened += self._hear(frame, now_us)
        except Malformed as error:
            self._broken = Broken(f"what came is not LLRP: {error}")
        except Broken as error:
            self._broken = error
        happened, self._told = self._told + happened, []
        return happened if self._is_proven else []

    def check_time(self, now_us: int) -> None:
        """Raises Broken when what came ended the connection, or when an answer, or any sign of life, is overdue."""
        if self._broken is not None:
            raise self._broken
        if (self._awaited is not None or self._talk is None) and now_us > self._answer_due:
            raise Broken("the reader does not answer")
        if self._talk is not None and now_us - self.heard_at_us > SILENT_KEEPALIVES * self.plan.keepalive_s * 1e6:
            raise Broken(f"the reader is silent for {SILENT_KEEPALIVES} keepalives")

    def switch(self, outputs: dict[int, bool], now_us: int) -> None:
        """Switch outputs as soon as the reader is ready and has answered what was asked before; the outcome is Noticed."""
        self.outputs.append(outputs)
        self._go_on(now_us)

    def switch_blindly(self, outputs: dict[int, bool]) -> None:
        """Switch outputs at once, while nothing is read: no answer is waited for, and what was to be switched before is not."""
        del self.outputs[1 if self._awaited is not None else 0 :]
        if self.is_ready:
            self._send(output_config(outputs))

    def _hear(self, frame: Frame, now_us: int) -> list[Happening]:
        if not self._is_proven and (frame.type == _REPORT or (frame.type == _NOTIFICATION and self._talk is not None)):
            self._keep_unproven(frame, now_us)
            return []
        try:
            if frame.type == _REPORT:
                return list(self.sights.take(read_reports(frame.body), now_us))
            if frame.type == _KEEPALIVE:
                self._send(make("KeepAliveAck"), id=frame.id)
                return []
            if self._awaited is not None and frame.id == self._awaited[1] and frame.type in (self._awaited[0], _ERROR):
                self._answered(read_message(frame), now_us)
                return []
            if frame.type == _NOTIFICATION:
                return self._notice(read_message(frame)["ReaderEventNotificationData"], now_us)
        except Malformed as error:
            self._count_malformed(frame, error)
        return []

    def _keep_unproven(self, frame: Frame, now_us: int) -> None:
        """What a reader tells before it has said who it is counts when it has, and not at all when it is another."""
        self._unproven.append((frame, now_us))
        self._unproven_bytes += HEADER.size + len(frame.body)
        if self._unproven_bytes > MOST_UNPROVEN_BYTES:
            raise Broken("the reader tells more and more and does not say who it is")

    def _count_malformed(self, frame: Frame, error: Malformed) -> None:
        self.malformed += 1
        log.warning("reader sent a malformed message", reader=self.sights.reader_id, type=frame.type, error=str(error))
        if self.malformed >= MOST_MALFORMED:
            raise Broken(f"{MOST_MALFORMED} messages were malformed")

    def _notice(self, data: Item, now_us: int) -> list[Happening]:
        clock, told = (UTC, data["UTCTimestamp"]) if data["UTCTimestamp"] else (UPTIME, data["Uptime"])
        told_us = None if told is None else told["Microseconds"]
        happened: list[Happening] = []
        for name, value in data.values.items():
            if not isinstance(value, Item) or name in ("UTCTimestamp", "Uptime"):
                continue
            if name == "ConnectionAttemptEvent":
                self._begin(value["Event"], clock, told_us, now_us)
            elif name == "ConnectionCloseEvent":
                raise Broken("the reader closes the connection")
            elif name == "GPIEvent":
                at_us = now_us
                if told_us is not None:
                    at_us = told_us + self.sights.offsets[clock].add(received_us=now_us, seen_us=told_us)
                happened.append(InputChanged(self.sights.reader_id, value["Port"], value["Event"], at_us))
            else:
                happened.append(Noticed(self.sights.reader_id, name, value.values))
        return happened

    def _begin(self, status: int, clock: str, told_us: int | None, now_us: int) -> None:
        """The reader takes us, or not. Later it says so of others who call it (status 4), which is not about us."""
        if self._talk is not None:
            return
        if status != 0:
            raise Broken(f"the reader refuses the connection with status {status}")
        if told_us is not None:
            self.sights.hear_time(clock=clock, told_us=told_us, received_us=now_us)
        self._talk = self._set_up()
        self._ask(next(self._talk), now_us)

    def _set_up(self) -> Conversation:
        if self._asks_version:
            yield from self._agree_on_version()
        self.capabilities = yield make("GetReaderCapabilities")
        yield from self._check_identity()
        _expect_success((yield self._config()))
        self._send(make("EnableEventsAndReports"))
        yield from self._start_reading()
        self.is_ready = True

    def _config(self) -> Item:
        assert self.capabilities is not None
        known, device = self.capabilities.get("LLRPCapabilities"), self.capabilities.get("GeneralDeviceCapabilities")
        pins = device and device["GPIOCapabilities"]
        holds = bool(known and known["SupportsEventsAndReportHolding"])
        return reader_config(self.plan, inputs=min(pins["NumGPIs"], MOST_INPUTS) if pins else 0, holds=holds)

    def _check_identity(self) -> Conversation:
        if self.plan.identity:
            answer = yield make("GetReaderConfig", RequestedData=_IDENTIFICATION)
            told = answer.get("Identification")
            if told is None or told["ReaderID"].hex() != self.plan.identity.lower():
                raise Broken("another reader answers at this address")
            self._is_proven = True
            kept, self._unproven = self._unproven, []
            for frame, at_us in kept:
                self._told += self._hear(frame, at_us)

    def _agree_on_version(self) -> Conversation:
        self.is_asking_version, self.version = True, 2
        answer = yield make("GetSupportedVersion")
        self.version = 1
        if answer.name == "GetSupportedVersionResponse" and answer["MaxSupportedVersion"] >= 2:
            self.version = 2
            if answer["CurrentVersion"] != 2:
                _expect_success((yield make("SetProtocolVersion", TargetVersion=2)))
        self.is_asking_version = False

    def _start_reading(self) -> Conversation:
        """Leave an operation of ours that runs alone, for its reports are still held; take away what else is ours.

        What other programs have set up is not ours to delete.
        """
        wanted = ro_spec(self.plan, power_indices(self.plan, self._power_levels()))
        id = wanted["ROSpecID"]
        there = yield make("GetROSpecs")
        states = {spec["ROSpecID"]: spec["ROSpecCurrentState"] for spec in there.get("ROSpecs") or []}
        foreign = sorted(other for other in states if not is_ours(other))
        for other in sorted(states.keys() - {id, *foreign}):
            yield make("DeleteROSpec", ROSpecID=other)
        if id not in states:
            _expect_success((yield make("AddROSpec", ROSpec=wanted)), foreign)
        if states.get(id, _DISABLED) == _DISABLED:
            _expect_success((yield make("EnableROSpec", ROSpecID=id)), foreign)
        if states.get(id) != _ACTIVE:
            _expect_success((yield make("StartROSpec", ROSpecID=id)), foreign)

    def _power_levels(self) -> list[tuple[int, int]]:
        told: Item | None = self.capabilities
        for name in ("RegulatoryCapabilities", "UHFBandCapabilities"):
            told = told and told.get(name)
        levels = (told and told.get("TransmitPowerLevels")) or []
        return [(one["Index"], one["TransmitPowerValue"]) for one in levels]

    def _switch_outputs(self) -> Conversation:
        while self.outputs:
            answer = yield output_config(self.outputs[0])
            done = answer["LLRPStatus"]["Status"] == 0
            values: dict[str, object] = {"outputs": self.outputs.pop(0)}
            self._told.append(
                Noticed(self.sights.reader_id, "OutputsSwitched" if done else "OutputsNotSwitched", values)
            )

    def _answered(self, answer: Item, now_us: int) -> None:
        self._awaited = None
        assert self._talk is not None
        try:
            self._ask(self._talk.send(answer), now_us)
        except StopIteration:
            self._go_on(now_us)

    def _go_on(self, now_us: int) -> None:
        if self.is_ready and self._awaited is None and self.outputs:
            self._talk = self._switch_outputs()
            self._ask(next(self._talk), now_us)

    def _ask(self, request: Item, now_us: int) -> None:
        self._awaited = (_answer_to(request.name), self._send(request))
        self._answer_due = now_us + int(ANSWER_S * 1e6)

    def _send(self, message: Item, id: int | None = None) -> int:
        if id is None:
            self._id += 1
            id = self._id
        number, body = write_message(message)
        self.outgoing += write_frame(Frame(self.version, number, id, body))
        return id


def _answer_to(name: str) -> int:
    return next(one.number for one in MESSAGE_BY_NUMBER.values() if one.name == f"{name}Response")


def _expect_success(answer: Item, foreign: Sequence[int] = ()) -> None:
    """Raises Broken unless the answer says success; ``foreign`` operations may be why it does not."""
    status = answer["LLRPStatus"]
    if status["Status"] != 0:
        theirs = f" (another program has set up the operations {', '.join(map(str, foreign))})" if foreign else ""
        raise Broken(f"{answer.name} says {status['Status']}: {status['ErrorDescription'][:200]}{theirs}")
