"""What a reader is told to do: report each tag at once, say that it lives, tell of its inputs, and hold reports through a break."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

import msgspec

from services.logistics.rfid.llrp.codec import Item, make, write_parameter

KEEPALIVE_S = 10.0
GEN2 = 1
_NEVER, _PERIODIC, _N_TAGS = 0, 1, 1
_OURS = 0x48
"""The first byte of the ids of our operations."""
_TOLD_EVENTS = (1, 3, 4, 8)
"""Inputs (GPI), a buffer that fills, exceptions, antennas that come and go (LLRP 1.1, table 18)."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How a reader is set up; antennas () are all of them, ``session`` is the Gen2 session."""

    antennas: tuple[int, ...] = ()
    keepalive_s: float = KEEPALIVE_S
    session: int = 1
    population: int = 32
    identity: str = ""
    """The reader's own id (its MAC as EUI-64, or an EPC) in hex digits; another reader at its address is refused."""
    powers: tuple[tuple[int, float], ...] = ()
    """Antennas with the power in dBm that they send with; the next lower one that the reader knows is taken."""


def is_ours(ro_spec_id: int) -> bool:
    """Whether an operation is one of ours, of this plan or another; those of other programs are left alone."""
    return ro_spec_id >> 24 == _OURS


def ro_spec(plan: Plan, powers: Mapping[int, int] | None = None) -> Item:
    """The reader operation of a plan: it runs from START until STOP. Its id is made from what it does, so equal ids do alike.

    ``powers`` are the indices of ``power_indices`` by antenna.
    """
    spec = _ro_spec(plan, powers or {})
    spec.values["ROSpecID"] = _OURS << 24 | zlib.crc32(write_parameter(spec)) & 0xFFFFFF
    return spec


def power_indices(plan: Plan, levels: Iterable[tuple[int, int]]) -> dict[int, int]:
    """The reader's own numbers for the powers of a plan, out of its levels: (index, hundredths of a dBm)."""
    known = sorted((hundredths, index) for index, hundredths in levels)
    chosen: dict[int, int] = {}
    for antenna, dbm in plan.powers:
        below = [index for hundredths, index in known if hundredths <= round(dbm * 100)]
        if known:
            chosen[antenna] = below[-1] if below else known[0][1]
    return chosen


def _ro_spec(plan: Plan, powers: Mapping[int, int]) -> Item:
    stop = make("ROSpecStopTrigger", Trigger=_NEVER)
    boundary = make("ROBoundarySpec", StartTrigger=make("ROSpecStartTrigger", Trigger=_NEVER), StopTrigger=stop)
    return make("ROSpec", ROBoundarySpec=boundary, AISpecs=[_antennas(plan, powers)], ROReportSpec=_report(plan))


def _antenna(plan: Plan, number: int, power_index: int) -> Item:
    """How an antenna is used; number 0 stands for all, and ``power_index`` 0 leaves its power."""
    control = make("C1G2SingulationControl", Session=plan.session, TagPopulation=plan.population)
    command = make("C1G2InventoryCommand", SingulationControl=control)
    power = make("RFTransmitter", HopTableID=1, ChannelIndex=1, TransmitPowerIndex=power_index)
    return make(
        "AntennaConfiguration",
        AntennaID=number,
        C1G2InventoryCommand=command,
        RFTransmitter=power if power_index else None,
    )


def _antennas(plan: Plan, powers: Mapping[int, int]) -> Item:
    numbers = sorted({*plan.antennas, *powers}) if powers else ()
    each = [_antenna(plan, number, powers.get(number, 0)) for number in numbers]
    inventory = make(
        "InventoryParameterSpec",
        InventoryParameterSpecID=1,
        AirProtocolID=GEN2,
        AntennaConfigurations=each or [_antenna(plan, 0, 0)],
    )
    return make(
        "AISpec",
        AntennaIDs=list(plan.antennas) or [0],
        StopTrigger=make("AISpecStopTrigger", Trigger=_NEVER),
        InventoryParameterSpecs=[inventory],
    )


def _report(plan: Plan) -> Item:
    told = make(
        "TagReportContentSelector",
        EnableAntennaID=True,
        EnablePeakRSSI=True,
        EnableFirstSeenTimestamp=True,
        EnableLastSeenTimestamp=True,
        EnableTagSeenCount=True,
        C1G2EPCMemorySelector=make("C1G2EPCMemorySelector", PCBitsEnabled=True),
    )
    return make("ROReportSpec", Trigger=_N_TAGS, N=1, TagReportContentSelector=told)


def reader_config(plan: Plan, *, inputs: int, holds: bool) -> Item:
    """SET_READER_CONFIG of a plan, with so many inputs heard; ``holds`` when the reader can hold reports until asked."""
    states = [make("EventNotificationState", ReaderEventType=event, NotificationEnabled=True) for event in _TOLD_EVENTS]
    keepalive = make("KeepAliveSpec", Trigger=_PERIODIC, Interval=round(plan.keepalive_s * 1000))
    return make(
        "SetReaderConfig",
        ReaderEventNotificationSpec=make("ReaderEventNotificationSpec", EventNotificationStates=states),
        KeepAliveSpec=keepalive,
        GPIPortCurrentStates=[make("GPIPortCurrentState", Port=port + 1, Enabled=True) for port in range(inputs)],
        EventsAndReports=make("EventsAndReports", HoldEventsAndReportsUponReconnect=True) if holds else None,
    )


def output_config(outputs: dict[int, bool]) -> Item:
    """SET_READER_CONFIG that switches outputs (lamp, barrier) by port."""
    data = [make("GPOWriteData", Port=port, Data=high) for port, high in sorted(outputs.items())]
    return make("SetReaderConfig", GPOWriteData=data)
