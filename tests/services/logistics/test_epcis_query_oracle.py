"""Whatever is asked of whatever was captured: the answer in SQL is that of a naive reading of the parameters."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.auth import Caller
from services.logistics.epcis.query.parameters import parse_query
from services.logistics.epcis.query.queries import list_events, match_events
from services.logistics.epcis.read_json import document_of
from tests.services.logistics import epcis_oracle as oracle
from tests.services.logistics.conftest import BEGINNING, Stand
from tests.services.logistics.epcis_client import Partner, write_document

CALLER = Caller("user_mill", "mill", frozenset({"warehouse"}))
STEPS, DISPOSITIONS = ["shipping", "receiving", "urn:example:step"], ["in_transit", "damaged"]
PAPERS, PARTIES = ["urn:example:po:1", "urn:example:po:2"], ["urn:example:mill", "urn:example:buyer"]
TIMES = [f"2026-03-02T0{hour}:00:00{zone}" for hour in range(4, 9) for zone in ("Z", "+01:00")]
NUMBERS = [0, 1, 2.5, 5, 10, 41, 278.15]
VALUES: list[Any] = [1, 2.5, "7", "red", "blue", "2026-03-02T07:00:00Z", "2026-03-02T08:00:00+01:00", ["red", 5]]


def make_event(chance: random.Random, number: int) -> dict[str, Any]:
    """Any event that is valid."""
    kind = chance.choice(
        ["ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"]
    )
    event: dict[str, Any] = {
        "type": kind,
        "eventID": f"urn:example:event:{number}",
        "eventTime": chance.choice(TIMES),
        "eventTimeZoneOffset": "+00:00",
    }
    some, classes = chance.sample(sorted(oracle.THINGS), 2), [_count(chance) for _ in range(chance.randint(0, 2))]
    if kind == "TransformationEvent":
        event |= {"inputEPCList": some[:1], "outputEPCList": some[1:]}
        event |= {chance.choice(["inputQuantityList", "outputQuantityList"]): classes} if classes else {}
    else:
        event["action"] = chance.choice(["ADD", "OBSERVE", "DELETE"])
        has_children = kind in ("AggregationEvent", "AssociationEvent")
        event |= {"childEPCs": some[1:], "parentID": some[0]} if has_children else {"epcList": some}
        event |= {"childQuantityList" if has_children else "quantityList": classes} if classes else {}
    for field, options in (("bizStep", STEPS), ("disposition", DISPOSITIONS)):
        event |= {field: chance.choice(options)} if chance.random() < 0.7 else {}
    for field in ("readPoint", "bizLocation"):
        event |= {field: {"id": chance.choice(sorted(oracle.PLACES))}} if chance.random() < 0.7 else {}
    if kind == "TransactionEvent" or chance.random() < 0.3:
        event["bizTransactionList"] = [
            {"type": chance.choice(["po", "desadv"]), "bizTransaction": chance.choice(PAPERS)}
        ]
    if chance.random() < 0.4:
        event["sourceList"] = [{"type": chance.choice(["owning_party", "location"]), "source": chance.choice(PARTIES)}]
    if chance.random() < 0.3:
        event["persistentDisposition"] = {chance.choice(["set", "unset"]): [chance.choice(DISPOSITIONS)]}
    if chance.random() < 0.5:
        event["sensorElementList"] = [_sense(chance) for _ in range(chance.randint(1, 2))]
    if chance.random() < 0.5:
        event["ex:top"] = chance.choice(VALUES)
    if chance.random() < 0.4:
        event["ex:box"] = {"ex:inner": chance.choice(VALUES), "ex:deep": [{"ex:inner": chance.choice(VALUES)}]}
    if event.get("action") == "ADD" and kind == "ObjectEvent":
        event["ilmd"] = {"ex:lot": chance.choice(VALUES), "ex:box": {"ex:inner": chance.choice(VALUES)}}
    if chance.random() < 0.15:
        event["errorDeclaration"] = {"declarationTime": chance.choice(TIMES), "reason": "incorrect_data"}
        event["errorDeclaration"] |= {"ex:why": chance.choice(VALUES)} if chance.random() < 0.7 else {}
    return event


def _count(chance: random.Random) -> dict[str, Any]:
    counted = {"epcClass": chance.choice(sorted(oracle.CLASSES)), "quantity": chance.choice(NUMBERS)}
    return counted | ({"uom": chance.choice(sorted(oracle.TO_KILOGRAMS))} if chance.random() < 0.7 else {})


def _sense(chance: random.Random) -> dict[str, Any]:
    unit = chance.choice(sorted(oracle.TO_KELVIN))
    report = {"type": chance.choice(["Temperature", "Speed"]), "value": chance.choice(NUMBERS), "uom": unit}
    optional = {
        "minValue": chance.choice(NUMBERS),
        "sDev": chance.choice(NUMBERS),
        "percRank": chance.choice(NUMBERS),
        "stringValue": "dry",
        "booleanValue": chance.random() < 0.5,
        "ex:probe": chance.choice(VALUES),
        "time": "2026-03-02T03:00:00Z",
    }
    report |= {name: value for name, value in optional.items() if chance.random() < 0.4}
    if "percRank" in report:
        report["percValue"] = chance.choice(NUMBERS)
    metadata = {
        "deviceID": chance.choice(PARTIES),
        "startTime": "2026-03-02T02:00:00Z",
        "endTime": "2026-03-02T02:30:00Z",
    }
    return {"sensorReport": [report]} | ({"sensorMetadata": metadata} if chance.random() < 0.5 else {})


def some_of(options: Any) -> st.SearchStrategy[list[Any]]:
    """One or two of some options."""
    return st.lists(st.sampled_from(sorted(options)), min_size=1, max_size=2, unique=True)


THINGS = some_of([*oracle.THINGS, *oracle.THINGS.values(), *oracle.PATTERNS])
KINDS = some_of([*oracle.CLASSES, *oracle.CLASSES.values(), *oracle.PATTERNS])
PLACES = some_of([*oracle.PLACES, *oracle.PLACES.values()])
NUMBER, TIME = st.sampled_from(NUMBERS), st.sampled_from([*TIMES, "2026-03-02T02:30:00Z", "2026-03-02T03:00:00Z"])
ORDERED = ("GT", "GE", "LT", "LE")
FIELDS = (
    "ex:top",
    "ILMD_ex:lot",
    "INNER_ex:inner",
    "INNER_ILMD_ex:inner",
    "ERROR_DECLARATION_ex:why",
    "SENSORREPORT_ex:probe",
)
PARAMETERS: dict[str, st.SearchStrategy[Any]] = {
    "eventType": some_of(["ObjectEvent", "AggregationEvent", "TransformationEvent"]),
    "EQ_action": some_of(["ADD", "OBSERVE", "DELETE"]),
    "EQ_bizStep": some_of(STEPS),
    "EQ_disposition": some_of(DISPOSITIONS),
    "EQ_errorReason": some_of(["incorrect_data", "did_not_occur"]),
    **{f"{op}_{field}": PLACES for op in ("EQ", "WD") for field in ("readPoint", "bizLocation")},
    **{f"{op}_{field}": TIME for op in ("GE", "LT") for field in ("eventTime", "recordTime", "errorDeclarationTime")},
    **{f"{op}_{field}": TIME for op in ("GE", "LT") for field in ("time", "startTime", "endTime")},
    **{name: KINDS if "Class" in name else THINGS for name in oracle.LISTS},
    **{f"EQ_persistentDisposition_{part}": some_of(DISPOSITIONS) for part in ("set", "unset")},
    **{f"EQ_bizTransaction_{kind}": some_of(PAPERS) for kind in ("po", "desadv")},
    **{f"EQ_source_{kind}": some_of(PARTIES) for kind in ("owning_party", "location")},
    "EXISTS_errorDeclaration": st.just(True),
    "EXISTS_sensorElementList": st.just(True),
    "EQ_type": some_of(["Temperature", "Speed"]),
    "EQ_deviceID": some_of(PARTIES),
    "EQ_stringValue": some_of(["dry", "wet"]),
    "EQ_booleanValue": st.booleans(),
    **{
        f"EQ_{field}": st.lists(NUMBER, min_size=1, max_size=2)
        for field in ("quantity", "quantity_GRM", "value_CEL", "value_KEL")
    },
    **{
        f"{op}_{field}": NUMBER for op in ORDERED for field in ("quantity", "quantity_TNE", "value_FAH", "minValue_KEL")
    },
    **{f"{op}_{field}": NUMBER for op in ORDERED for field in ("sDev_CEL", "percRank")},
    "HASATTR_bizLocation": some_of(["urn:epcglobal:cbv:mda:city", "urn:example:size"]),
    "EQATTR_readPoint_urn:epcglobal:cbv:mda:city": some_of(["Tianjin", "Hamburg"]),
    **{f"EXISTS_{field}": st.just(True) for field in FIELDS},
    **{f"EQ_{field}": some_of(["red", "blue", "7", "2026-03-02T07:00:00Z"]) for field in FIELDS},
    **{f"{op}_{field}": NUMBER | TIME for op in ORDERED for field in FIELDS},
    f"EQ_{oracle.SPACE}top": some_of(["red", "7"]),
}
QUERIES = st.lists(st.sampled_from(sorted(PARAMETERS)), min_size=1, max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: PARAMETERS[name] for name in names})
)


def fill(stand: Stand, seed: int) -> list[tuple[dict[str, Any], Any]]:
    """Captures random events over a few hours; each with the time that it was recorded at."""
    chance, partner = random.Random(seed), Partner(stand)
    kept = []
    for batch in range(4):
        events = [make_event(chance, batch * 40 + number) for number in range(40)]
        assert partner.job(partner.capture(*events))["success"]
        kept += [(event, BEGINNING + timedelta(minutes=batch)) for event in events]
        stand.frozen.advance(timedelta(minutes=1))
    elements = [
        {
            "id": place,
            "attributes": [
                {"id": name, "attribute": value} for name, value in oracle.ATTRIBUTES.get(place, {}).items()
            ],
            "children": sorted(oracle.CHILDREN.get(place, ())),
        }
        for place in {*oracle.CHILDREN, *oracle.ATTRIBUTES}
    ]
    vocabulary = {"type": "urn:epcglobal:epcis:vtype:BusinessLocation", "vocabularyElementList": elements}
    header = {"epcisHeader": {"epcisMasterData": {"vocabularyList": [vocabulary]}}}
    assert partner.job(partner.ask("POST", "/capture", write_document(**header)))["success"]
    return kept


@pytest.mark.parametrize("seed", [1, 2])
def test_sql_answers_as_the_oracle_does(stand: Stand, seed: int) -> None:
    kept = fill(stand, seed)
    ids = {id for (id,) in stand.rows("SELECT id FROM epcis_event")}
    assert len(ids) == len(kept)
    tried = {"found": 0}

    @settings(max_examples=400, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(params=QUERIES)
    def check(params: dict[str, Any]) -> None:
        query = parse_query(params, prefixes={"ex": oracle.SPACE})
        page = stand.database.look(lambda session: list_events(session, query, CALLER, size=1_000))
        wanted = sorted(event["eventID"] for event, at in kept if oracle.answers(params, event, at))
        assert sorted(row.event_id for row in page.rows) == wanted
        fitting = stand.database.look(lambda session: match_events(session, query, CALLER, ids))
        assert set(fitting) == {row.id for row in page.rows}
        tried["found"] += bool(wanted)

    check()
    assert tried["found"] > 100


def test_events_come_back_as_they_were_captured(stand: Stand) -> None:
    kept = fill(stand, 3)
    answer = Partner(stand).ask("GET", "/events?perPage=1000", GS1_EPC_Format="Never_Translates")
    told = {event.fields["eventID"]: event.fields for event in document_of(answer.json).events}
    assert {id: fields["eventTime"] for id, fields in told.items()} == {
        event["eventID"]: event["eventTime"] for event, _ in kept
    }
