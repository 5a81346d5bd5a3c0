"""What a trace needs of an EPCIS event: what it names in which part, when, where, by whom and under which papers.

Identifiers are canonical (``epcis.identifiers.canonical``) and words of the CBV bare, as the event store keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from services.logistics.epcis.fields import split_name
from services.logistics.epcis.lots import name_lots

AGGREGATION, ASSOCIATION, TRANSFORMATION = "AggregationEvent", "AssociationEvent", "TransformationEvent"
Pairs = tuple[tuple[str | None, str], ...]
"""Typed values, such as ``("po", "urn:…")`` or ``("owning_party", "https://id.gs1.org/417/…")``."""


class Amount(msgspec.Struct, frozen=True, gc=False):
    """So much of a class; without ``quantity`` it is not said how much, without ``uom`` it is counted in pieces."""

    name: str
    quantity: float | None = None
    uom: str | None = None


class Fact(msgspec.Struct, frozen=True, gc=False):
    """An event, reduced. ``things`` are those of epcList or childEPCs, ``run`` is the transformationID.

    ``made`` is what the event says of their making (ILMD) by the plain names, ``lots`` their lots by that. ``affirmed``
    says whether the sender of medicines gives its transaction statement (GS1 US guideline for DSCSA).
    """

    id: str
    event_id: str
    at: datetime
    type: str
    owner_id: str
    action: str | None = None
    biz_step: str | None = None
    disposition: str | None = None
    read_point: str | None = None
    biz_location: str | None = None
    parent: str | None = None
    things: tuple[str, ...] = ()
    amounts: tuple[Amount, ...] = ()
    inputs: tuple[str, ...] = ()
    input_amounts: tuple[Amount, ...] = ()
    outputs: tuple[str, ...] = ()
    output_amounts: tuple[Amount, ...] = ()
    run: str | None = None
    lots: Mapping[str, str] = {}
    papers: Pairs = ()
    sources: Pairs = ()
    destinations: Pairs = ()
    made: Mapping[str, Any] = {}
    affirmed: bool | None = None

    @property
    def order(self) -> tuple[datetime, str]:
        """What events are folded by, whichever of them was heard first."""
        return self.at, self.event_id

    @property
    def clears(self) -> bool:
        """Whether it takes everything out of its parent: a DELETE that names no children (EPCIS 2.0, 7.4.3)."""
        return self.action == "DELETE" and self.parent is not None and not self.things and not self.amounts

    @property
    def consumed(self) -> list[str]:
        """What went in, things and classes."""
        return [*self.inputs, *(amount.name for amount in self.input_amounts)]

    @property
    def produced(self) -> list[str]:
        """What came out, things and classes."""
        return [*self.outputs, *(amount.name for amount in self.output_amounts)]

    @property
    def named(self) -> Iterator[str]:
        """Everything that it is about."""
        if self.parent is not None:
            yield self.parent
        yield from self.things
        yield from (amount.name for amount in self.amounts)
        yield from self.consumed
        yield from self.produced

    @property
    def place(self) -> str | None:
        """Where it left things, or else where it was."""
        return self.biz_location or self.read_point


class _Place(msgspec.Struct):
    id: str = ""


class _Amount(msgspec.Struct):
    epcClass: str
    quantity: float | None = None
    uom: str | None = None


class _Paper(msgspec.Struct):
    bizTransaction: str
    type: str | None = None


class _Source(msgspec.Struct):
    source: str
    type: str | None = None


class _Destination(msgspec.Struct):
    destination: str
    type: str | None = None


_HEALTHCARE = "http://epcis.gs1us.org/hc/ns"


class _Statement(msgspec.Struct, rename={"affirmTransactionStatement": f"{{{_HEALTHCARE}}}affirmTransactionStatement"}):
    affirmTransactionStatement: bool | str | None = None


class Told(msgspec.Struct, rename={"statement": f"{{{_HEALTHCARE}}}dscsaTransactionStatement"}):
    """The fields of a kept event that a trace reads; all others are skipped by the decoder."""

    action: str | None = None
    bizStep: str | None = None
    disposition: str | None = None
    readPoint: _Place | None = None
    bizLocation: _Place | None = None
    parentID: str | None = None
    epcList: tuple[str, ...] = ()
    childEPCs: tuple[str, ...] = ()
    quantityList: tuple[_Amount, ...] = ()
    childQuantityList: tuple[_Amount, ...] = ()
    inputEPCList: tuple[str, ...] = ()
    inputQuantityList: tuple[_Amount, ...] = ()
    outputEPCList: tuple[str, ...] = ()
    outputQuantityList: tuple[_Amount, ...] = ()
    transformationID: str | None = None
    bizTransactionList: tuple[_Paper, ...] = ()
    sourceList: tuple[_Source, ...] = ()
    destinationList: tuple[_Destination, ...] = ()
    ilmd: dict[str, Any] | None = None
    statement: _Statement | None = None


_read_told = msgspec.json.Decoder(Told).decode


def read_fact(*, id: str, event_id: str, at: datetime, type: str, owner_id: str, fields: str | bytes) -> Fact:
    """The fact of a kept event; ``fields`` are its fields as JSON."""
    told = _read_told(fields)
    produced = (*told.epcList, *told.outputEPCList)
    return Fact(
        id=id,
        event_id=event_id,
        at=at,
        type=type,
        owner_id=owner_id,
        action=told.action,
        biz_step=told.bizStep,
        disposition=told.disposition,
        read_point=told.readPoint.id if told.readPoint else None,
        biz_location=told.bizLocation.id if told.bizLocation else None,
        parent=told.parentID,
        things=(*told.epcList, *told.childEPCs),
        amounts=_amounts((*told.quantityList, *told.childQuantityList)),
        inputs=told.inputEPCList,
        input_amounts=_amounts(told.inputQuantityList),
        outputs=told.outputEPCList,
        output_amounts=_amounts(told.outputQuantityList),
        run=told.transformationID,
        lots=name_lots(told.ilmd, produced) if told.ilmd else {},
        papers=tuple((one.type, one.bizTransaction) for one in told.bizTransactionList),
        sources=tuple((one.type, one.source) for one in told.sourceList),
        destinations=tuple((one.type, one.destination) for one in told.destinationList),
        made={split_name(name)[1]: value for name, value in told.ilmd.items()} if told.ilmd else {},
        affirmed=told.statement.affirmTransactionStatement in (True, "true") if told.statement else None,
    )


def _amounts(listed: Iterable[_Amount]) -> tuple[Amount, ...]:
    return tuple(Amount(one.epcClass, one.quantity, one.uom) for one in listed)
