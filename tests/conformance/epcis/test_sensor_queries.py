"""T7: the steps of GS1's conformance requirements TCR-53 (sensor elements) and TCR-54 (associations), as they are described."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.services.logistics.epcis_client import Partner, write_event

SENSED, SENSED_URN = "https://id.gs1.org/8004/4000001111", "urn:epc:id:giai:4000001.111"
RULES = "https://id.gs1.org/253/4012345000054987"


def sense(number: int, report: dict[str, Any], metadata: dict[str, Any] | None = None, **beside: Any) -> dict[str, Any]:
    """An event with one reading."""
    element = {"sensorReport": [report], **beside} | ({"sensorMetadata": metadata} if metadata else {})
    return write_event(number, eventTime="2026-03-02T08:00:00Z", sensorElementList=[element])


SET_1 = {
    "none": write_event(1),
    "cold": sense(
        2,
        {"type": "Temperature", "value": 5, "uom": "CEL", "minValue": 4, "maxValue": 8, "meanValue": 6, "sDev": 0.5}
        | {"percRank": 50, "percValue": 6, "ex:probe": 7, "time": "2026-03-02T07:30:00Z"},
        {
            "startTime": "2026-03-02T07:00:00Z",
            "endTime": "2026-03-02T07:45:00Z",
            "deviceID": SENSED_URN,
            "bizRules": RULES,
        }
        | {"dataProcessingMethod": RULES, "ex:firmware": "2.1"},
        **{"ex:seal": "blue"},
    ),
    "moist": sense(
        3,
        {"type": "RelativeHumidity", "value": 40, "uom": "P1", "stringValue": "dry", "booleanValue": True}
        | {"hexBinaryValue": "F0F0F0", "uriValue": "https://example.com/reading"}
        | {"microorganism": "https://www.ncbi.nlm.nih.gov/taxonomy/1126011"}
        | {"chemicalSubstance": "https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N"},
        {"time": "2026-03-02T06:00:00Z"},
    ),
}
STEPS = [
    (2, "GE_recordTime=2026-03-02T07:59:00Z", "cold moist none"),
    (3, "EXISTS_sensorElement", "cold moist"),
    (3, "EXISTS_sensorElementList=true", "cold moist"),
    (4, "GE_time=2026-03-02T07:00:00Z&LT_time=2026-03-02T08:00:00Z", "cold"),
    (4, "GE_time=2026-03-02T05:00:00Z&LT_time=2026-03-02T07:00:00Z", "moist"),
    (4, "GE_time=2026-03-02T08:00:00Z", ""),
    (5, "GE_startTime=2026-03-02T07:00:00Z&LT_startTime=2026-03-02T07:00:01Z", "cold"),
    (5, "LT_startTime=2026-03-02T07:00:00Z", ""),
    (5, "GE_endTime=2026-03-02T08:45:00%2B01:00&LT_endTime=2026-03-02T08:45:01%2B01:00", "cold"),
    (6, "EQ_type=Temperature", "cold"),
    (6, "EQ_type=gs1:Temperature|https://gs1.org/voc/RelativeHumidity", "cold moist"),
    (6, "EQ_type=Speed", ""),
    (7, f"EQ_deviceID={SENSED}", "cold"),
    (7, f"EQ_deviceID={SENSED_URN}", "cold"),
    (8, f"EQ_dataProcessingMethod={RULES}", "cold"),
    (9, "EQ_microorganism=https://www.ncbi.nlm.nih.gov/taxonomy/1126011", "moist"),
    (10, "EQ_chemicalSubstance=https://identifiers.org/inchikey:CZMRCDWAGMRECN-UGDNZRGBSA-N", "moist"),
    (11, f"EQ_bizRules={RULES}", "cold"),
    (12, "EQ_value_CEL=5", "cold"),
    (12, "EQ_value_CEL=4|6", ""),
    (12, "GE_value_CEL=5&LT_value_CEL=5.1", "cold"),
    (12, "LT_value_CEL=5", ""),
    (13, "GE_minValue_CEL=4&LT_minValue_CEL=5", "cold"),
    (14, "GE_maxValue_CEL=8&LT_maxValue_CEL=9", "cold"),
    (15, "GE_meanValue_CEL=6&LT_meanValue_CEL=7", "cold"),
    (15, "GT_meanValue_CEL=6", ""),
    (16, "EQ_stringValue=dry", "moist"),
    (17, "EQ_booleanValue=true", "moist"),
    (17, "EQ_booleanValue=false", ""),
    (18, "EQ_hexBinaryValue=f0f0f0", "moist"),
    (19, "EQ_uriValue=https://example.com/reading", "moist"),
    (20, "EQ_SENSORELEMENT_ex:seal=blue", "cold"),
    (20, "EXISTS_SENSORELEMENT_ex:seal", "cold"),
    (21, "EQ_SENSORMETADATA_ex:firmware=2.1", "cold"),
    (21, "GT_SENSORMETADATA_ex:firmware=2&LE_SENSORMETADATA_ex:firmware=2.1", "cold"),
    (22, "EQ_SENSORREPORT_ex:probe=7", "cold"),
    (22, "GE_SENSORREPORT_ex:probe=7&LT_SENSORREPORT_ex:probe=8", "cold"),
    (22, "GT_SENSORREPORT_ex:probe=7", ""),
    (23, "GE_sDev=0.5&LT_sDev=0.6", "cold"),
    (23, "GE_sDev_KEL=0.5&LT_sDev_KEL=0.6", "cold"),
    (24, "GE_percRank=50&LT_percRank=51", "cold"),
    (25, "GE_percValue=6&LT_percValue=7", "cold"),
    (25, "GE_percValue_KEL=279.15&LT_percValue_KEL=280", "cold"),
    (26, "EQ_type=gs1:Temperature&GE_value_KEL=278.15", "cold"),
    (26, "EQ_value_KEL=278.15", "cold"),
    (26, "EQ_value_FAH=41", "cold"),
    (26, "GT_value_KEL=278.15", ""),
    (26, "EQ_value_59=400000", "moist"),
]


@pytest.mark.parametrize(("step", "asked", "found"), STEPS)
def test_tcr_53_finds_readings(partner: Partner, step: int, asked: str, found: str) -> None:
    assert partner.job(partner.capture(*SET_1.values()))["success"]
    answer = partner.ask(
        "GET", f"/events?{asked}", GS1_Extensions="ex=https://example.com/", GS1_EPC_Format="Never_Translates"
    )
    assert answer.status_code == 200, answer.text
    names = {event["epcList"][0]: name for name, event in SET_1.items()}
    listed = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert " ".join(sorted(names[event["epcList"][0]] for event in listed)) == found


@pytest.mark.parametrize(
    ("step", "changed", "status"),
    [
        (2, {"parentID": "urn:epc:id:sgln:0614141.12345.0"}, 202),
        (3, {}, 400),
        (3, {"action": "DELETE"}, 400),
        (4, {"parentID": "urn:epc:id:grai:0614141.12345.1", "childEPCs": []}, 400),
        (4, {"parentID": "urn:epc:id:grai:0614141.12345.1", "childEPCs": [], "action": "OBSERVE"}, 400),
    ],
)
def test_tcr_54_associations(partner: Partner, step: int, changed: dict[str, Any], status: int) -> None:
    event = write_event(1, type="AssociationEvent", action="ADD", childEPCs=["urn:epc:id:giai:4000001.12345"])
    del event["epcList"]
    event |= changed
    answer = partner.capture({name: value for name, value in event.items() if value != []})
    assert answer.status_code == status, answer.text
    found = partner.ask("GET", f"/events?MATCH_parentID={quote(changed.get('parentID', 'urn:x:y'))}")
    assert len(found.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == (status == 202)
