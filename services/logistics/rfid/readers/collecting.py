"""The loop that listens to LLRP readers: leases, reads into the stream, signs of life, and the lamps of those it holds."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.pace import UNPAUSED, USUAL, Pace
from chassis.problems import Problem
from chassis.worker import Context
from services.logistics.rfid.llrp.collector import Collector, LinkState
from services.logistics.rfid.llrp.link import Reader as LinkSetting
from services.logistics.rfid.llrp.plan import Plan
from services.logistics.rfid.llrp.session import Happening, Noticed
from services.logistics.rfid.llrp.sights import Sight
from services.logistics.rfid.readers import batches, leases
from services.logistics.rfid.readers.commands import is_in_networks, note_trouble
from services.logistics.rfid.readers.lamps import Lamp, Said, read_lamp, word_to_show
from services.logistics.rfid.readers.model import GateVerdict, Reader
from services.logistics.rfid.readers.trust import make_trust

KEEPALIVE_S = 2.0
LOOK_S, BEAT_S = 0.2, 1.0
SETTLED_S = 2.0
"""A reader that was just connected may still hold reports: so long it is not taken to have told all."""
SWITCH_AGAIN_S = 2.0
GOODBYE_S = 1.0
STUCK_S = 2.0
"""Database or broker that give no answer for so long are taken to be lost, as far as lamps go."""
SIGHTS = Counter("haihe_reader_sights", "Sights of tags that LLRP readers told and the stream took.")
READERS = Gauge("haihe_readers_connected", "LLRP readers that this worker listens to.", multiprocess_mode="livesum")
log = structlog.get_logger(__name__)


class Held(msgspec.Struct, frozen=True):
    """A reader that this worker listens to."""

    id: str
    gate_id: str
    lamp: Lamp | None
    link: LinkSetting


class ReaderLoop:
    """Takes its share of the readers and listens to them. One thread uses it.

    Database and broker are asked in a thread beside it, so that no lamp stays as it is while they give no answer.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self._asking = ThreadPoolExecutor(1, "readers-asking")
        self._collector = Collector([], self._take, tls=_trust)
        self._boots = batches.Boots()
        self._held: dict[str, Held] = {}
        self._gates: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._troubles: dict[str, str] = {}
        self._last_sights: dict[str, tuple[int, int]] = {}
        self._ready_at: dict[str, float] = {}
        self._switch_at: dict[str, float] = {}
        self._share_at = self._look_at = self._beat_at = 0.0
        self._lapses_at = 0.0
        self._is_told = True

    @property
    def pace(self) -> Pace:
        """None while a step waits for readers itself."""
        return UNPAUSED if self._held else USUAL

    def step(self) -> int:
        """Listen for a tenth of a second; how much was heard.

        Without the database it goes on until its leases lapse, with every lamp at *check*.
        """
        now, failed = time.monotonic(), None
        if now >= self._share_at:
            try:
                self._share(now)
            except Exception as error:
                failed = error
        heard = self._attend(now) if self._held else 0
        if failed is not None:
            raise failed
        return heard

    def _attend(self, now: float) -> int:
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self._show_words()
        try:
            heard = self._collector.step()
            if now >= self._beat_at:
                self._beat_at = now + BEAT_S
                self._tell_heard()
        except Exception:
            self._fall_back()
            raise
        self._is_told = True
        return heard

    def _fall_back(self) -> None:
        """Every lamp says *check*, although nothing is read meanwhile."""
        self._is_told = False
        self._show_words()
        self._collector.switch_unheard()

    def _ask(self, call: Callable[[], Any]) -> Any:
        """What database or broker answer, however long they take; the lamps do not wait for it."""
        asked = self._asking.submit(call)
        try:
            return asked.result(STUCK_S)
        except TimeoutError:
            if not asked.done():
                self._fall_back()
        return asked.result()

    def _share(self, now: float) -> None:
        """Keep the leases and take what is free. Who cannot say so lets go before somebody else takes over."""
        ready = {id: state.is_ready for id, state in self._collector.states().items()}
        told = {id: (ready.get(id, False), self._shown.get(id)) for id in self._held}
        try:
            found = self._ask(lambda: self.context.database.run(lambda session: self._share_in(session, told)))
        except Exception:
            if now >= self._lapses_at:
                self._set_held({})
            raise
        self._share_at = now + leases.RENEW_S
        self._lapses_at = now + leases.LEASE.total_seconds() - 2 * leases.RENEW_S
        self._set_held(found)

    def _share_in(self, session: Session, told: Mapping[str, tuple[bool, str | None]]) -> dict[str, Held]:
        found = leases.share_readers(session, self.context.member, told, now=clock.now())
        for id, error in sorted(self._troubles.items()):
            note_trouble(session, id, error, rejected=0)
        networks = self.context.settings.reader_networks
        return {one.id: hold_of(one) for one in found if one.host and is_in_networks(one.host, networks)}

    def _set_held(self, held: dict[str, Held]) -> None:
        self._troubles.clear()
        leaving = {id for id, one in self._held.items() if held.get(id) != one}
        self._say_check(leaving)
        for known in (self._shown, self._ready_at, self._last_sights):
            for id in leaving:
                known.pop(id, None)
        if held != self._held:
            self._held = held
            self._gates |= {id: one.gate_id for id, one in held.items()}
            self._collector.set_readers([one.link for one in held.values()])
        READERS.set(sum(state.is_ready for state in self._collector.states().values()))

    def _say_check(self, ids: Collection[str]) -> None:
        """Let the lamps of readers that are let go of say *check*, as far as these answer within a second."""
        ready, until = self._collector.states(), time.monotonic() + GOODBYE_S
        for id in ids:
            lamp = self._held[id].lamp
            if lamp is not None and _is_ready(ready.get(id)) and self._shown.get(id) != "check":
                self._collector.switch(id, lamp.outputs("check"))
        with suppress(Exception):
            while self._collector.is_switching() and time.monotonic() < until:
                self._collector.step(0.05)

    def _take(self, happenings: list[Happening]) -> None:
        """Hand on what was heard. Raises BrokerDown: then the same comes again, and the readers hold what follows."""
        by_reader: dict[str, list[Happening]] = {}
        for one in happenings:
            by_reader.setdefault(one.reader_id, []).append(one)
        now, messages = clock.now(), []
        for id, told in by_reader.items():
            messages += batches.make_batches(self._gates[id], id, told, self._boots, now=now)
        if messages:
            self._ask(lambda: self.context.broker.publish(messages))
        for one in happenings:
            self._note(one)

    def _note(self, one: Happening) -> None:
        if isinstance(one, Sight):
            SIGHTS.inc()
            self._last_sights[one.reader_id] = (one.received_us, one.last_us)
        elif isinstance(one, Noticed) and one.event == "ReaderLost":
            self._shown.pop(one.reader_id, None)
            self._ready_at.pop(one.reader_id, None)
            self._troubles[one.reader_id] = str(one.values.get("error", ""))
        elif isinstance(one, Noticed) and one.event == "OutputsNotSwitched":
            self._shown.pop(one.reader_id, None)
            self._switch_at[one.reader_id] = time.monotonic() + SWITCH_AGAIN_S
            self._troubles.setdefault(one.reader_id, "the outputs of the lamp could not be switched")
        elif isinstance(one, Noticed) and (trouble := _trouble_of(one)):
            self._troubles[one.reader_id] = trouble

    def _show_words(self) -> None:
        """Switch the lamps whose word has changed. Whatever fails on the way, the word is *check*."""
        lit = {id: (one, one.lamp) for id, one in self._held.items() if one.lamp is not None}
        said = self._read_words({one.gate_id for one, _ in lit.values()}) if lit and self._is_told else {}
        states, now = self._collector.states(), clock.now()
        for id, (one, lamp) in lit.items():
            if not _is_ready(states.get(id)):
                continue
            word = word_to_show(lamp, said.get(one.gate_id), now)
            if self._shown.get(id) != word and time.monotonic() >= self._switch_at.get(id, 0.0):
                self._collector.switch(id, lamp.outputs(word))
                self._shown[id] = word

    def _read_words(self, gate_ids: set[str]) -> dict[str, Said]:
        rows = select(GateVerdict.gate_id, GateVerdict.verdict, GateVerdict.at).where(GateVerdict.gate_id.in_(gate_ids))
        try:
            found = self._ask(lambda: self.context.database.look(lambda session: session.execute(rows).all()))
        except Exception as error:
            log.warning("lamps fall back", error=repr(error))
            return {}
        return {gate_id: Said(verdict, at) for gate_id, verdict, at in found}

    def _tell_heard(self) -> None:
        states, now = self._collector.states(), time.monotonic()
        messages = []
        for id, one in self._held.items():
            state = states.get(id)
            if not _is_ready(state):
                continue
            since = self._ready_at.setdefault(id, now)
            if (until_us := self._seen_until_us(id, state, is_settled=now - since >= SETTLED_S)) is not None:
                seen = batches.time_of(until_us)
                messages.append(batches.tell_heard(one.gate_id, id, now=clock.now(), seen_until=seen))
        if messages:
            self._ask(lambda: self.context.broker.publish(messages))

    def _seen_until_us(self, id: str, state: LinkState, *, is_settled: bool) -> int | None:
        """Up to when a reader has told all: its last sight while these keep coming, the present when it is quiet."""
        now_us = round(clock.now().timestamp() * 1e6)
        received_us, last_us = self._last_sights.get(id, (0, 0))
        if now_us - received_us < SETTLED_S * 1e6:
            return min(last_us, now_us)
        if is_settled and now_us - state.heard_us < 2 * KEEPALIVE_S * 1e6:
            return now_us
        return None

    def close(self) -> None:
        """Let the lamps say *check*, let go of the readers, and let others take over at once."""
        self._say_check(self._held.keys())
        with suppress(Exception):
            self._collector.step(0)
        self._collector.close()
        held, self._held = self._held, {}
        if held:
            member = self.context.member
            with suppress(Problem):
                self.context.database.run(lambda session: leases.release(session, member, held, now=clock.now()))
        self._asking.shutdown(wait=False)


def _is_ready(state: LinkState | None) -> bool:
    return state is not None and state.is_ready


def _trouble_of(one: Noticed) -> str | None:
    """What a reader says of itself that somebody has to look into."""
    match one.event:
        case "ReportBufferOverflowErrorEvent":
            return "the memory of the reader ran over: reads are lost"
        case "ReaderExceptionEvent":
            return f"the reader says: {one.values.get('Message')}"
        case "AntennaEvent" if one.values.get("Event") == 0:
            return f"antenna {one.values.get('AntennaID')} is not connected any more"
    return None


def _trust(link: LinkSetting) -> ssl.SSLContext | None:
    return make_trust(link.certificate) if link.certificate else None


def hold_of(reader: Reader) -> Held:
    """A reader as the collector listens to it."""
    numbers = tuple(sorted(antenna["number"] for antenna in reader.antennas))
    powers = tuple(
        (antenna["number"], antenna["power_dbm"])
        for antenna in sorted(reader.antennas, key=lambda antenna: antenna["number"])
        if antenna["power_dbm"] is not None
    )
    plan = Plan(antennas=numbers, keepalive_s=KEEPALIVE_S, identity=reader.identity or "", powers=powers)
    assert reader.host is not None and reader.port is not None
    link = LinkSetting(
        id=reader.id, host=reader.host, port=reader.port, plan=plan, certificate=reader.certificate or ""
    )
    return Held(reader.id, reader.gate_id, read_lamp(reader.lamp), link)
