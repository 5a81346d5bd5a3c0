"""The rules that schemas miss (among them those of GS1's conformance cases TCR-53 and TCR-54), one broken at a time."""

from __future__ import annotations

from typing import Any

import pytest

from services.logistics.epcis.checks import check_event, refusals
from services.logistics.epcis.contexts import STANDARD
from services.logistics.epcis.fields import EPCIS_SPACES
from services.logistics.epcis.findings import MOST_FINDINGS
from services.logistics.epcis.read_json import document_of

OBJECT: dict[str, Any] = {
    "@context": [STANDARD, {"acme": "https://acme.example/"}],
    "type": "ObjectEvent",
    "eventTime": "2026-03-01T10:00:00.000Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "ADD",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.2017"],
}
ASSOCIATION = OBJECT | {
    "type": "AssociationEvent",
    "parentID": "urn:epc:id:grai:4012345.55555.987",
    "childEPCs": ["urn:epc:id:giai:4000001.12345"],
}
del ASSOCIATION["epcList"]
AGGREGATION = ASSOCIATION | {"type": "AggregationEvent"}
TRANSACTION = OBJECT | {"type": "TransactionEvent", "bizTransactionList": [{"type": "po", "bizTransaction": "urn:x:1"}]}
TRANSFORMATION = {name: value for name, value in OBJECT.items() if name not in ("action", "epcList")} | {
    "type": "TransformationEvent",
    "inputEPCList": ["urn:epc:id:sgtin:0614141.107346.1"],
    "outputEPCList": ["urn:epc:id:sgtin:0614141.107346.2"],
}
GONE = object()


def sensor(report: dict[str, Any], metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    told = {"type": "Temperature", "value": 26.0, "uom": "CEL"} | report
    return {"sensorElementList": [{"sensorMetadata": metadata or {}, "sensorReport": [_without_gone(told)]}]}


def _without_gone(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not GONE}


def findings(base: dict[str, Any], change: dict[str, Any]) -> list[tuple[str, str]]:
    (event,) = document_of(_without_gone(base | change)).events
    return [(one.path, one.rule) for one in check_event(event)]


@pytest.mark.parametrize(
    "base", [OBJECT, ASSOCIATION, AGGREGATION, TRANSACTION, TRANSFORMATION], ids=lambda b: b["type"]
)
def test_right_as_they_are(base: dict[str, Any]) -> None:
    assert findings(base, {}) == []


@pytest.mark.parametrize(
    ("base", "change"),
    [
        (OBJECT, sensor({"time": "2026-03-01T10:00:00.000Z"})),
        (OBJECT, sensor({"type": "urn:acme:Blueness"})),
        (OBJECT, sensor({"component": "x", "exception": "ALARM_CONDITION"}, {"deviceID": "urn:epc:id:giai:4000001.1"})),
        (OBJECT, {"epcList": GONE} | sensor({})),
        (OBJECT, {"bizStep": "https://acme.example/steps/painting"}),
        (OBJECT, {"bizStep": "cbv:BizStep-shipping", "disposition": "urn:epcglobal:cbv:disp:in_transit"}),
        (OBJECT, {"ilmd": {"acme:lot": {"acme:a": [1, None, {"acme:b": True}]}}}),
        (OBJECT, {"errorDeclaration": {"declarationTime": "2026-03-02T00:00:00Z", "reason": "did_not_occur"}}),
        (AGGREGATION, {"action": "OBSERVE", "parentID": GONE}),
        (AGGREGATION, {"action": "DELETE", "childEPCs": GONE}),
        (ASSOCIATION, {"action": "DELETE", "childEPCs": GONE}),
        (ASSOCIATION, {"action": "OBSERVE", "parentID": GONE}),
        (TRANSFORMATION, {"outputEPCList": GONE, "transformationID": "urn:epc:id:gdti:4012345.55555.1"}),
        (TRANSACTION, {"bizTransactionList": [{"bizTransaction": "urn:x:1"}]}),
    ],
)
def test_right(base: dict[str, Any], change: dict[str, Any]) -> None:
    assert findings(base, change) == []


@pytest.mark.parametrize(
    ("base", "change", "wanted"),
    [
        (OBJECT, {"type": "ObservationEvent"}, [("$.type", "type")]),
        (OBJECT, {"eventTime": GONE}, [("$.eventTime", "required")]),
        (OBJECT, {"eventTime": "2026-03-01T10:00:00"}, [("$.eventTime", "time")]),
        (OBJECT, {"eventTime": "2026-02-30T10:00:00Z"}, [("$.eventTime", "time")]),
        (OBJECT, {"eventTime": "22-07-2026"}, [("$.eventTime", "time")]),
        (OBJECT, {"eventTime": 17}, [("$.eventTime", "shape")]),
        (OBJECT, {"eventTimeZoneOffset": "0100"}, [("$.eventTimeZoneOffset", "time")]),
        (OBJECT, {"eventTimeZoneOffset": "+14:30"}, [("$.eventTimeZoneOffset", "time")]),
        (OBJECT, {"eventTimeZoneOffset": "+\uff10\uff11:00"}, [("$.eventTimeZoneOffset", "time")]),
        (OBJECT, {"eventTime": "2026-03-01T10:00:00+14:30"}, [("$.eventTime", "time")]),
        (OBJECT, {"action": "CREATE"}, [("$.action", "action")]),
        (OBJECT, {"action": GONE}, [("$.action", "required")]),
        (TRANSFORMATION, {"action": "ADD"}, [("$.action", "unknown")]),
        (OBJECT, {"parentID": "urn:x:1"}, [("$.parentID", "unknown")]),
        (OBJECT, {"bizStep": "painting"}, [("$.bizStep", "vocabulary")]),
        (OBJECT, {"bizStep": "cbv:BizStep-painting"}, [("$.bizStep", "vocabulary")]),
        (OBJECT, {"disposition": "urn:epcglobal:cbv:disp:in_transport"}, [("$.disposition", "vocabulary")]),
        (OBJECT, {"disposition": "https://ref.gs1.org/cbv/Disp-x"}, [("$.disposition", "vocabulary")]),
        (OBJECT, {"bizStep": "two words: x"}, [("$.bizStep", "vocabulary")]),
        (OBJECT, {"sourceList": [{"type": "place", "source": "urn:x:1"}]}, [("$.sourceList[0].type", "vocabulary")]),
        (OBJECT, {"sourceList": [{"source": "urn:x:1"}]}, [("$.sourceList[0].type", "required")]),
        (OBJECT, {"persistentDisposition": {"set": ["lost"]}}, [("$.persistentDisposition.set", "vocabulary")]),
        (
            OBJECT,
            {"errorDeclaration": {"reason": "did_not_occur"}},
            [("$.errorDeclaration.declarationTime", "required")],
        ),
        (OBJECT, {"ilmd": {"materialType": "soil"}}, [("$.ilmd.materialType", "unknown")]),
        (OBJECT, {"ilmd": {"undeclared:soil": 1}}, [("$.ilmd.undeclared:soil", "unknown")]),
        (OBJECT, {"madeUp": 1}, [("$.madeUp", "unknown")]),
        (OBJECT, {"acme:two words": 1}, [("$.{https://acme.example/}two words", "unknown")]),
        (OBJECT, {"acme:\u00b2": 1}, [("$.{https://acme.example/}\u00b2", "unknown")]),
        (OBJECT, {"acme:a": "\u0000"}, [("$.{https://acme.example/}a", "shape")]),
        (OBJECT, {"action": "OBSERVE", "ilmd": {"acme:a": 1}}, [("$.ilmd", "ilmd")]),
        (OBJECT, {"epcList": GONE}, [("$", "what")]),
        (OBJECT, {"epcList": "urn:x:1"}, [("$.epcList", "shape")]),
        (OBJECT, {"epcList": ["not a uri"]}, [("$.epcList[0]", "identifier")]),
        (OBJECT, {"epcList": ["urn:epc:id:sgtin:0614141.10734.2017"]}, [("$.epcList[0]", "identifier")]),
        (OBJECT, {"epcList": ["urn:epc:id:sgtin:0614141.107346."]}, [("$.epcList[0]", "identifier")]),
        (OBJECT, {"epcList": ["urn:epc:id:nothing:1.2"]}, [("$.epcList[0]", "identifier")]),
        (OBJECT, {"epcList": ["urn:epc:id:bic:CSQU3054384"]}, [("$.epcList[0]", "identifier")]),
        (OBJECT, {"epcList": ["https://id.gs1.org/01/10614141073465/21/1"]}, [("$.epcList[0]", "identifier")]),
        (OBJECT, {"epcList": ["https://id.gs1.org/00/106141412345678900"]}, [("$.epcList[0]", "identifier")]),
        (OBJECT, {"quantityList": [{"quantity": 1}]}, [("$.quantityList[0].epcClass", "required")]),
        (
            OBJECT,
            {"quantityList": [{"epcClass": "urn:x:1", "quantity": "9"}]},
            [("$.quantityList[0].quantity", "shape")],
        ),
        (OBJECT, {"readPoint": "urn:x:1"}, [("$.readPoint", "shape")]),
        (OBJECT, {"bizLocation": {"acme:a": "1"}}, [("$.bizLocation.id", "required")]),
        (TRANSACTION, {"bizTransactionList": []}, [("$", "what")]),
        (TRANSACTION, {"bizTransactionList": GONE}, [("$", "what")]),
        (TRANSFORMATION, {"outputEPCList": GONE}, [("$", "what")]),
        (ASSOCIATION, {"parentID": GONE}, [("$.parentID", "parent")]),
        (ASSOCIATION, {"parentID": GONE, "action": "DELETE"}, [("$.parentID", "parent")]),
        (ASSOCIATION, {"childEPCs": GONE}, [("$", "what")]),
        (AGGREGATION, {"parentID": GONE}, [("$.parentID", "parent")]),
        (AGGREGATION, {"parentID": GONE, "action": "DELETE"}, [("$.parentID", "parent")]),
        (AGGREGATION, {"childEPCs": []}, [("$", "what")]),
        (OBJECT, sensor({"type": GONE}), [("$.sensorElementList[0].sensorReport[0].type", "required")]),
        (OBJECT, sensor({"value": "26"}), [("$.sensorElementList[0].sensorReport[0].value", "shape")]),
        (OBJECT, sensor({"uom": "celsius"}), [("$.sensorElementList[0].sensorReport[0].uom", "unit")]),
        (OBJECT, sensor({"booleanValue": "yes"}), [("$.sensorElementList[0].sensorReport[0].booleanValue", "shape")]),
        (
            OBJECT,
            sensor({"hexBinaryValue": "xyz"}),
            [("$.sensorElementList[0].sensorReport[0].hexBinaryValue", "shape")],
        ),
        (OBJECT, sensor({"component": "w"}), [("$.sensorElementList[0].sensorReport[0].component", "vocabulary")]),
        (OBJECT, sensor({"percRank": 50}), [("$.sensorElementList[0].sensorReport[0]", "shape")]),
        (OBJECT, sensor({"bizRules": "urn:x:1"}), [("$.sensorElementList[0].sensorReport[0].bizRules", "unknown")]),
        (
            OBJECT,
            sensor({"time": "2026-03-01T10:00:00.001Z"}),
            [("$.sensorElementList[0].sensorReport[0].time", "sensor_time")],
        ),
        (
            OBJECT,
            sensor({}, {"startTime": "2026-03-01T09:00:00Z", "endTime": "2026-03-01T08:00:00Z"}),
            [("$.sensorElementList[0].sensorMetadata.startTime", "time")],
        ),
        (
            OBJECT,
            sensor({"deviceID": "urn:x:1"}, {"deviceID": "urn:x:1"}),
            [("$.sensorElementList[0].sensorReport[0].deviceID", "sensor_twice")],
        ),
    ],
)
def test_broken(base: dict[str, Any], change: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    assert findings(base, change) == wanted


def test_advice_refuses_only_by_the_letter() -> None:
    (event,) = document_of(OBJECT | sensor({"time": "2026-03-01T10:00:01Z"})).events
    told = check_event(event)
    assert [one.rule for one in told] == ["sensor_time"]
    assert refusals(told) == []
    assert refusals(told, advice=frozenset()) == told


def test_advice_hides_nothing_that_refuses() -> None:
    told = {"type": "Temperature", "value": 26.0, "uom": "CEL", "deviceID": "urn:x:1"}
    reports = [told] * (MOST_FINDINGS + 1) + [told | {"uom": "celsius"}]
    element = {"sensorMetadata": {"deviceID": "urn:x:1"}, "sensorReport": reports}
    (event,) = document_of(OBJECT | {"sensorElementList": [element]}).events
    assert [one.rule for one in refusals(check_event(event))] == ["unit"]
    assert len(check_event(event)) == MOST_FINDINGS + 1


@pytest.mark.parametrize("space", [*EPCIS_SPACES, "http://www.w3.org/2000/xmlns/"])
def test_nobody_has_names_of_his_own_under_the_namespaces_of_the_standard(space: str) -> None:
    told = OBJECT | {"@context": [STANDARD, {"own": space}], "own:epcList": ["urn:x:2"]}
    (event,) = document_of(told).events
    assert [one.rule for one in check_event(event)] == ["unknown"]
