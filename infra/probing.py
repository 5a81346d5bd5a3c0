"""Talks to an LLRP reader for a few seconds, as the platform would, and says what it is and what it reads."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing

import msgspec

from infra.failures import Failure
from services.logistics.rfid.llrp.collector import Collector
from services.logistics.rfid.llrp.link import Reader
from services.logistics.rfid.llrp.plan import Plan
from services.logistics.rfid.llrp.session import Happening
from services.logistics.rfid.llrp.sights import Sight

CONNECTING_S = 12.0
VERSIONS = {1: "1.0.1", 2: "1.1"}


class Answered(msgspec.Struct, frozen=True):
    """What a reader said of itself, and what it read: sights by antenna, and how many different tags."""

    address: str
    version: str
    firmware: str
    antennas: int
    inputs: int
    outputs: int
    seconds: float
    tags: int
    sights: dict[int, int]
    clock_offset_ms: int | None


def probe_reader(host: str, port: int, *, seconds: float) -> Answered:
    """Connect, set it up, read for some seconds, and let go. Raises Failure that says what is wrong."""
    heard: list[Happening] = []
    reader = Reader(id="test", host=host, port=port, plan=Plan(keepalive_s=2.0))
    with closing(Collector([reader], heard.extend)) as collector:
        end = time.monotonic() + CONNECTING_S
        while not collector.states()["test"].is_ready:
            if time.monotonic() > end:
                why = collector.states()["test"].error or "it does not answer"
                raise Failure(f"The reader at {host} port {port} cannot be used: {why}.")
            collector.step()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            collector.step()
        state, known = collector.states()["test"], collector.capabilities("test")
    sights = [one for one in heard if isinstance(one, Sight)]
    device = (known and known.get("GeneralDeviceCapabilities")) or None
    pins = (device and device.get("GPIOCapabilities")) or None
    told = [one for one in sights if one.told_last is not None and one.clock == "utc"]
    return Answered(
        address=f"{host}:{port}",
        version=VERSIONS.get(state.version, "?"),
        firmware=str(device["FirmwareVersion"]) if device else "",
        antennas=device["MaxSupportedAntennas"] if device else 0,
        inputs=pins["NumGPIs"] if pins else 0,
        outputs=pins["NumGPOs"] if pins else 0,
        seconds=seconds,
        tags=len({one.epc for one in sights}),
        sights=dict(sorted(Counter(one.antenna for one in sights).items())),
        clock_offset_ms=(told[-1].last_us - (told[-1].told_last or 0)) // 1_000 if told else None,
    )
