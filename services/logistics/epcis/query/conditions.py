"""A question as data: the conditions that an event must all meet, and in which order and number the answers are wanted."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from services.logistics.epcis.query.names import Name
from services.logistics.epcis.query.patterns import Wanted

Op = Literal["EQ", "GT", "GE", "LT", "LE"]
Column = Literal[
    "type",
    "action",
    "biz_step",
    "disposition",
    "read_point",
    "biz_location",
    "event_id",
    "error_reason",
    "event_time",
    "record_time",
    "error_time",
]


class OneOf(msgspec.Struct, frozen=True):
    """A field of its own column is one of the values."""

    column: Column
    values: tuple[str, ...]


class Within(msgspec.Struct, frozen=True):
    """A place is one of the values or, by master data, lies within one."""

    column: Column
    values: tuple[str, ...]


class During(msgspec.Struct, frozen=True):
    """A time of its own column is not before (GE) or before (LT) another."""

    column: Column
    op: Op
    at: datetime


class Names(msgspec.Struct, frozen=True):
    """The event names something that is looked for, in one of the kinds of ``EpcisKey``."""

    kinds: tuple[str, ...]
    wanted: tuple[Wanted, ...]


class Declared(msgspec.Struct, frozen=True):
    """The event is an error declaration; where there are ids, one that names one of them as corrective."""

    corrective_ids: tuple[str, ...] = ()


class Number(msgspec.Struct, frozen=True):
    """Something that numbers are compared with."""

    value: Decimal


class Instant(msgspec.Struct, frozen=True):
    """Something that times are compared with."""

    at: datetime


class Text(msgspec.Struct, frozen=True):
    """Something that texts are compared with, under each spelling that it may have."""

    spellings: tuple[str, ...]


class Written(msgspec.Struct, frozen=True):
    """A text that extension fields are compared with, which may be meant as a number, a time or a truth value."""

    spellings: tuple[str, ...]


class Flag(msgspec.Struct, frozen=True):
    """Something that truth values are compared with."""

    value: bool


Operand = Number | Instant | Text | Written | Flag


class Compares(msgspec.Struct, frozen=True):
    """A value is equal to one of the operands, or stands to the only one as ``op`` says."""

    op: Op
    operands: tuple[Operand, ...]


class Measures(msgspec.Struct, frozen=True):
    """An object's number ``name``, in its unit, stands to one of the values in ``unit`` as ``op`` says.

    Without a unit numbers are compared as they stand. ``is_difference`` says that zero of one unit is zero of all (a standard
    deviation in kelvin is one in degrees Celsius).
    """

    name: str
    op: Op
    values: tuple[Decimal, ...]
    unit: str | None
    is_difference: bool = False


class Pairs(msgspec.Struct, frozen=True):
    """An object of a list of typed values has this type and one of the values."""

    type: str
    name: str
    values: tuple[str, ...]


Test = Compares | Measures | Pairs | None
"""What is asked of a value; None: that it is there."""


class Holds(msgspec.Struct, frozen=True):
    """Somewhere in an event's fields there is a value that passes a test.

    ``places`` are JSON paths below ``@``; ``%`` in them stands for the name of an extension field.
    """

    places: tuple[str, ...]
    test: Test
    name: Name | None = None


class Source(msgspec.Struct, frozen=True):
    """Where an event refers to a word or thing that master data may describe: columns, kinds of keys, or an extension field."""

    columns: tuple[Column, ...] = ()
    kinds: tuple[str, ...] = ()
    name: Name | None = None


class Described(msgspec.Struct, frozen=True):
    """Something that the event refers to has, by master data, an attribute of one of the names: with one of the values, if any.

    A parameter may be read in more than one way; each reading is a source with the names of the attribute.
    """

    readings: tuple[tuple[Source, tuple[str, ...]], ...]
    values: tuple[str, ...] | None


Condition = OneOf | Within | During | Names | Declared | Holds | Described


class Order(msgspec.Struct, frozen=True):
    """By what answers are ordered: a time of its own column, or an extension field."""

    by: Literal["event_time", "record_time"] | Name = "event_time"
    ascending: bool = False


class Query(msgspec.Struct, frozen=True):
    """A whole question.

    ``limit`` answers at most are given; more than ``most`` are refused. ``names`` are the parameters that made it, ``digest``
    tells it from others.
    """

    conditions: tuple[Condition, ...] = ()
    order: Order = Order()
    limit: int | None = None
    most: int | None = None
    names: tuple[str, ...] = ()
    digest: str = ""

    @property
    def is_ordered(self) -> bool:
        """Whether the asker said anything about order or number."""
        return not {"orderBy", "eventCountLimit", "maxEventCount"}.isdisjoint(self.names)
