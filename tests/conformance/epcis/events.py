"""Random valid events of every type, as JSON, and ways to say the same thing otherwise."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from services.logistics.epcis.contexts import STANDARD
from services.logistics.epcis.vocabulary import BIZ_STEP, DISPOSITION, MEASUREMENT, SOURCE_DEST, TRANSACTION

SPACES = {"acme": "https://acme.example/epcis/", "rail": "urn:gs1:epcisapp:rail:", "plain": "https://plain.example/ns"}
CONTEXT = [STANDARD, SPACES]

_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
_names = st.sampled_from(["a", "b", "Size", "lot-no", "näme"]).flatmap(
    lambda local: st.sampled_from(sorted(SPACES)).map(lambda prefix: f"{prefix}:{local}")
)
_scalars = st.one_of(
    _texts, st.integers(-(10**18), 10**18), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.none()
)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_names, inner, max_size=3)),
    max_leaves=8,
)
extensions = st.dictionaries(_names, _values, max_size=3)

_serials = st.text("ABCxyz0189-_.%", min_size=1, max_size=8).map(lambda text: text.replace("%", "%2F"))
_epcs = st.one_of(
    _serials.map(lambda serial: f"urn:epc:id:sgtin:0614141.107346.{serial}"),
    _serials.map(lambda serial: f"urn:epc:id:giai:4000001.{serial}"),
    st.integers(0, 10**9 - 1).map(lambda number: f"urn:epc:id:sscc:0614141.1{number:09d}"),
    st.integers(1, 10**9).map(lambda number: f"urn:epc:id:gid:1.2.{number}"),
    st.integers(1, 10**9).map(lambda number: f"https://goods.example/01/10614141073464/10/L1/21/{number}"),
)
_epc_lists = st.lists(_epcs, min_size=1, max_size=4)
_classes = st.sampled_from(["urn:epc:class:lgtin:4012345.012345.998877", "urn:epc:idpat:sgtin:4012345.066666.*"])
_counts = st.one_of(st.integers(1, 10**6), st.floats(0.001, 1e6))
_quantities = st.lists(
    st.fixed_dictionaries({"epcClass": _classes}, optional={"quantity": _counts, "uom": st.just("KGM")}),
    min_size=1,
    max_size=3,
)
_places = st.builds(
    lambda number, more: {"id": f"urn:epc:id:sgln:0614141.07346.{number}"} | more, st.integers(0, 99), extensions
)
_times = (
    st.datetimes().map(lambda at: f"{at.isoformat(timespec='microseconds')}+02:00").filter(lambda t: t[:4] > "0002")
)
_deep_times = _times.filter(lambda text: text[:4] < "9999")


def _words(vocabulary: Any) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(vocabulary.words))


def _pairs(vocabulary: Any, what: str) -> st.SearchStrategy[list[dict[str, str]]]:
    one = st.fixed_dictionaries({"type": _words(vocabulary), what: st.sampled_from(["urn:x:1", "urn:x:2"])})
    return st.lists(one, min_size=1, max_size=3)


_reports = st.builds(
    lambda kind, value, flag, more: {"type": kind, "value": value, "booleanValue": flag, "uom": "CEL"} | more,
    _words(MEASUREMENT),
    st.floats(-1e6, 1e6),
    st.booleans(),
    extensions,
)
_sensors = st.lists(
    st.builds(
        lambda metadata, reports, more: {"sensorMetadata": metadata, "sensorReport": reports} | more,
        extensions.map(lambda more: {"deviceID": "urn:epc:id:giai:4000001.111"} | more),
        st.lists(_reports, min_size=1, max_size=3),
        extensions,
    ),
    min_size=1,
    max_size=2,
)
_WHAT: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "ObjectEvent": {"epcList": _epc_lists, "quantityList": _quantities, "ilmd": extensions, "action": st.just("ADD")},
    "AggregationEvent": {
        "parentID": _epcs,
        "childEPCs": _epc_lists,
        "childQuantityList": _quantities,
        "action": st.just("ADD"),
    },
    "TransactionEvent": {
        "epcList": _epc_lists,
        "quantityList": _quantities,
        "action": st.just("OBSERVE"),
    },
    "TransformationEvent": {
        "inputEPCList": _epc_lists,
        "inputQuantityList": _quantities,
        "outputEPCList": _epc_lists,
        "outputQuantityList": _quantities,
        "ilmd": extensions,
    },
    "AssociationEvent": {"parentID": _epcs, "childEPCs": _epc_lists, "action": st.just("ADD")},
}
_SOMETIMES: dict[str, st.SearchStrategy[Any]] = {
    "bizStep": _words(BIZ_STEP),
    "disposition": _words(DISPOSITION),
    "readPoint": _places,
    "bizLocation": _places,
    "sourceList": _pairs(SOURCE_DEST, "source"),
    "destinationList": _pairs(SOURCE_DEST, "destination"),
    "sensorElementList": _sensors,
    "persistentDisposition": st.fixed_dictionaries({"set": st.lists(_words(DISPOSITION), min_size=1, max_size=3)}),
    "certificationInfo": st.just("https://certificates.example/1"),
}


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """One valid event with its context."""
    kind = draw(st.sampled_from(sorted(_WHAT)))
    fixed = {"type": st.just(kind), "eventTime": _deep_times, "eventTimeZoneOffset": st.just("+02:00")}
    transactions = {"bizTransactionList": _pairs(TRANSACTION, "bizTransaction")}
    told = draw(st.fixed_dictionaries(fixed | _WHAT[kind] | transactions, optional=_SOMETIMES))
    return {"@context": CONTEXT} | told | draw(extensions)


def shuffle(value: Any, chance: random.Random) -> Any:
    """The same JSON with every object's keys and every list in another order."""
    if isinstance(value, dict):
        items = [(name, one if name == "@context" else shuffle(one, chance)) for name, one in value.items()]
        chance.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        shuffled = [shuffle(one, chance) for one in value]
        chance.shuffle(shuffled)
        return shuffled
    return value


def say_numbers_otherwise(value: Any) -> Any:
    """The same JSON with numbers as texts that end in needless zeros, where a field takes any value."""
    if isinstance(value, dict):
        return {
            name: say_numbers_otherwise(one) if ":" in name or name in ("ilmd", "readPoint", "bizLocation") else one
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [say_numbers_otherwise(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value}.0" if abs(value) < 2**53 else f"{value:+d}"
    return value
