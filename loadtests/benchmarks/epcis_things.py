"""EPCIS documents for the benchmark: shipments of pallets, and a chain of six levels from farm lots to containers."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
COMPANY = "0614141"
EPCS_AN_EVENT = 5
AT = "2026-03-0{day}T{hour:02d}:{minute:02d}:{second:02d}.{milli:03d}Z"
RAW_LOTS, MIXED_LOTS, RUNS = 8, 40, 200
A_CASE, A_PALLET, A_CONTAINER = 10, 10, 10


def write_document(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """An EPCISDocument."""
    return {
        "@context": [CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-02T08:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def write_shipping(number: int) -> dict[str, Any]:
    """An ObjectEvent of five items that are shipped, no two alike."""
    epcs = [f"urn:epc:id:sgtin:{COMPANY}.107346.{number * EPCS_AN_EVENT + n + 1}" for n in range(EPCS_AN_EVENT)]
    return {
        "type": "ObjectEvent",
        "eventTime": time_of(number),
        "eventTimeZoneOffset": "+00:00",
        "epcList": epcs,
        "action": "OBSERVE",
        "bizStep": "shipping",
        "disposition": "in_transit",
        "readPoint": {"id": f"urn:epc:id:sgln:{COMPANY}.07346.1234"},
        "bizTransactionList": [
            {"type": "po", "bizTransaction": f"urn:epc:id:gdti:{COMPANY}.00001.{number // 100 + 1}"}
        ],
    }


def time_of(number: int, day: int = 2) -> str:
    """A time of its own for each of some millions."""
    seconds, milli = divmod(number, 1_000)
    return AT.format(day=day, hour=seconds // 3_600 % 24, minute=seconds // 60 % 60, second=seconds % 60, milli=milli)


@dataclass
class Chain:
    """Six levels: raw lots, mixed lots, items, cases, pallets, containers; ``planted`` is a raw lot, ``truth`` all that it is in.

    ``origins`` has the lots, mixed and raw, that one item was made from.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    planted: str = ""
    truth: set[str] = field(default_factory=set)
    item: str = ""
    origins: set[str] = field(default_factory=set)


def make_chain(items: int) -> Chain:
    """A chain with so many items. Each mixed lot takes two raw lots, each run makes items of one mixed lot."""
    chain = Chain()
    raw = [f"urn:epc:class:lgtin:{COMPANY}.012345.RAW{n}" for n in range(RAW_LOTS)]
    mixed = [f"urn:epc:class:lgtin:{COMPANY}.054321.MIX{n}" for n in range(MIXED_LOTS)]
    chain.planted = raw[3]
    made_of = {mixed[n]: {raw[n % RAW_LOTS], raw[(n * 3 + 1) % RAW_LOTS]} for n in range(MIXED_LOTS)}
    for lot, sources in made_of.items():
        _add(chain, _run([(one, 10) for one in sorted(sources)], outputs=[], lots=[(lot, 20)], day=1))
    chain.item = _item(items // 2)
    named, held = list[str](), dict[str, set[str]]()
    for run in range(min(RUNS, items)):
        own = [_item(n) for n in range(run * items // min(RUNS, items), (run + 1) * items // min(RUNS, items))]
        lot = mixed[run % MIXED_LOTS]
        _add(chain, _run([(lot, 1)], outputs=own, lots=[], day=2))
        named += own
        held |= {item: made_of[lot] for item in own}
        if chain.item in own:
            chain.origins = {lot} | made_of[lot]
    for size, kind, day in ((A_CASE, "1", 3), (A_PALLET, "2", 4), (A_CONTAINER, "3", 5)):
        named, held = _pack(chain, named, held, size, kind, day)
    everything = _everything(chain, made_of)
    chain.truth = {thing for thing, lots in everything.items() if chain.planted in lots} - {chain.planted}
    return chain


def _item(number: int) -> str:
    return f"urn:epc:id:sgtin:{COMPANY}.200001.{number + 1}"


def _add(chain: Chain, event: dict[str, Any]) -> None:
    chain.events.append(event)


def _run(inputs: list[tuple[str, int]], *, outputs: list[str], lots: list[tuple[str, int]], day: int) -> dict[str, Any]:
    number = zlib.crc32(repr((inputs, outputs, lots)).encode()) % 1_000_000
    event: dict[str, Any] = {
        "type": "TransformationEvent",
        "eventTime": time_of(number, day),
        "eventTimeZoneOffset": "+00:00",
        "inputQuantityList": [{"epcClass": one, "quantity": many} for one, many in inputs],
        "bizStep": "commissioning",
    }
    if outputs:
        event["outputEPCList"] = outputs
    if lots:
        event["outputQuantityList"] = [{"epcClass": one, "quantity": many} for one, many in lots]
    return event


def _pack(
    chain: Chain, named: list[str], held: dict[str, set[str]], size: int, kind: str, day: int
) -> tuple[list[str], dict[str, set[str]]]:
    """Pack what there is by so many into something, which holds what they do."""
    parents: dict[str, set[str]] = {}
    for start in range(0, len(named), size):
        inside = named[start : start + size]
        parent = f"urn:epc:id:sscc:{COMPANY}.{kind}{start // size:09d}"
        parents[parent] = set().union(*(held[one] for one in inside))
        _add(
            chain,
            {
                "type": "AggregationEvent",
                "eventTime": time_of(start // size, day),
                "eventTimeZoneOffset": "+00:00",
                "parentID": parent,
                "childEPCs": inside,
                "action": "ADD",
                "bizStep": "packing",
            },
        )
    return list(parents), parents


def _everything(chain: Chain, made_of: dict[str, set[str]]) -> dict[str, set[str]]:
    """Of each thing the raw lots in it, read from the events alone, the simple way."""
    lots = dict(made_of)
    for event in chain.events:
        if event["type"] == "TransformationEvent":
            inside = set().union(*(lots.get(one["epcClass"], {one["epcClass"]}) for one in event["inputQuantityList"]))
            lots |= dict.fromkeys(event.get("outputEPCList", ()), inside)
        else:
            lots[event["parentID"]] = set().union(*(lots[one] for one in event["childEPCs"]))
    return lots


def batches(events: Sequence[dict[str, Any]], size: int) -> Iterator[Sequence[dict[str, Any]]]:
    """Events by so many."""
    for start in range(0, len(events), size):
        yield events[start : start + size]
