"""Records of food and medicines: which rows, with which elements, and what is said to be missing."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import openpyxl
import pytest
from sqlalchemy import text

from tests.services.logistics.conftest import BEGINNING, Stand
from tests.services.logistics.test_trace_graph import GTIN, OTHER, born, capture, download, item, lot, pack, told, unit

FARM, PACKER, SHOP = (f"https://id.gs1.org/414/95060001{n}" for n in ("11116", "22228", "33330"))
MASTER = "urn:epcglobal:cbv:mda#"


def ask(stand: Stand, law: str, *, party: str = "maker", **asked: Any) -> list[dict[str, str]]:
    answer = download(stand, f"/v1/trace-records/{law}?{urlencode(asked)}", party=party)
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def amounts(name: str, quantity: float, uom: str = "KGM") -> list[dict[str, Any]]:
    return [{"epcClass": name, "quantity": quantity, "uom": uom}]


@pytest.fixture
def farm(stand: Stand) -> Stand:
    """Salad of lot S1 (500 kg) is packed, 300 kg of it shipped on a pallet and received; 100 kg become mixed salad M1."""
    place = {"id": SHOP, "name": "Shop", "city": "天津", "country": "CN"}
    stand.send("POST", "/v1/places", place, party="maker").ok()
    where = {"readPoint": {"id": PACKER}, "bizLocation": {"id": PACKER}}
    capture(
        stand,
        told(
            0,
            "ObjectEvent",
            action="ADD",
            bizStep="commissioning",
            quantityList=amounts(lot("S1"), 500),
            ilmd={
                "cbvmda:lotNumber": "S1",
                "cbvmda:farmList": [{"farmIdentification": "GGN-7"}],
                "cbvmda:harvestEndDate": "2026-03-01",
            },
            bizTransactionList=[{"type": "prodorder", "bizTransaction": "urn:example:order:1"}],
            **where,
        ),
        told(
            1,
            "TransformationEvent",
            inputQuantityList=amounts(lot("S1"), 100),
            outputQuantityList=amounts(lot("M1", OTHER), 95),
            bizStep="commissioning",
            **where,
        ),
        told(2, "AggregationEvent", parentID=unit(1), action="ADD", childQuantityList=amounts(lot("S1"), 300)),
        told(
            3,
            "ObjectEvent",
            epcList=[unit(1)],
            action="OBSERVE",
            bizStep="shipping",
            destinationList=[{"type": "location", "destination": SHOP}],
            bizTransactionList=[{"type": "desadv", "bizTransaction": "urn:example:note:1"}],
            **where,
        ),
    )
    said = {"sourceList": [{"type": "location", "source": PACKER}], "readPoint": {"id": SHOP}}
    capture(
        stand,
        told(9, "ObjectEvent", epcList=[unit(1)], action="OBSERVE", bizStep="receiving", **said),
        owner="shop",
        parties=("maker",),
    )
    return stand


def test_a_lot_has_its_tracking_events_with_their_elements(farm: Stand) -> None:
    rows = ask(farm, "fsma-204", id=lot("S1"))
    found = [(row["tracking event"], row["21 CFR"], row["traceability lot code"], row["quantity"]) for row in rows]
    assert found == [
        ("initial packing", "1.1330", "S1", "500"),
        ("transformation", "1.1350", "S1", "100"),
        ("transformation", "1.1350", "M1", "95"),
        ("shipping", "1.1340", "S1", "300"),
        ("receiving", "1.1345", "S1", "300"),
    ]
    packed, used, made, sent, got = rows
    assert (packed["farm"], packed["harvest date"], packed["reference documents"]) == (
        "GGN-7",
        "2026-03-01",
        "prodorder urn:example:order:1",
    )
    assert (made["role in transformation"], used["role in transformation"]) == ("made", "used")
    assert made["lots used"] == f"{lot('S1')} × 100 KGM"
    assert sent["immediate subsequent recipient"] == f"Shop, 天津, CN ({SHOP})"
    assert (sent["traceability lot code source"], sent["unit of measure"]) == (PACKER, "KGM")
    assert (got["immediate previous source"], got["captured by"]) == (PACKER, "shop")


def test_what_nobody_said_is_missing_and_not_made_up(farm: Stand) -> None:
    packed, _, _, sent, got = ask(farm, "fsma-204", id=lot("S1"))
    assert packed["missing"] == "product description; food received; field or growing area; harvester"
    assert sent["missing"] == "product description"
    assert got["missing"] == "product description; reference documents"
    told_of = "INSERT INTO epcis_master (owner_id, vocabulary, id, attributes, children) VALUES ('maker', 'v', :id, "
    told_of += f"""'[{{"id": "{MASTER}descriptionShort", "attribute": "Salad"}}]', '{{}}')"""
    product = f"https://id.gs1.org/01/{GTIN}"
    farm.owner.run(lambda session: session.execute(text(told_of.replace(":id", f"'{product}'"))) and None)
    rows = ask(farm, "fsma-204", id=lot("S1"))
    assert [row["product description"] for row in rows] == ["Salad", "Salad", "", "Salad", "Salad"]


def test_a_pack_says_where_its_food_was_harvested_cooled_and_received(stand: Stand) -> None:
    field, step = "geo:36.7,-121.6", "https://example.org/steps/"
    seen = {"action": "OBSERVE", "quantityList": amounts(lot("H1", OTHER), 80)}
    capture(
        stand,
        told(0, "ObjectEvent", bizStep=step + "harvesting", readPoint={"id": FARM}, bizLocation={"id": field}, **seen),
        told(5, "ObjectEvent", bizStep=step + "cooling", readPoint={"id": SHOP}, **seen),
        told(8, "ObjectEvent", bizStep="receiving", readPoint={"id": PACKER}, **seen),
        told(
            9,
            "TransformationEvent",
            inputQuantityList=amounts(lot("H1", OTHER), 80),
            outputQuantityList=amounts(lot("P1"), 75),
            bizStep=step + "initial_packing",
            readPoint={"id": PACKER},
        ),
    )
    parts = {"name": "Farm", "streetAddressOne": "1 Row", "city": "Salinas", "state": "CA", "postalCode": "93901"}
    said = {
        "id": FARM,
        "said": json.dumps([{"id": MASTER + name, "attribute": value} for name, value in parts.items()]),
    }
    columns = "(owner_id, vocabulary, id, attributes, children)"
    told_of = text(f"INSERT INTO epcis_master {columns} VALUES ('maker', 'v', :id, CAST(:said AS jsonb), '{{}}')")
    stand.owner.run(lambda session: session.execute(told_of, said) and None)
    rows = ask(stand, "fsma-204", id=lot("P1"))
    assert [row["tracking event"] for row in rows] == ["harvesting", "cooling", "receiving", "initial packing"]
    packed = rows[-1]
    named = ("farm", "field or growing area", "harvest date", "cooling location", "food received", "missing")
    at = [(BEGINNING + timedelta(minutes=minutes)).isoformat() for minutes in (0, 8)]
    assert [packed[name] for name in named] == [
        f"Farm, 1 Row, Salinas, CA, 93901 ({FARM})",
        field,
        at[0],
        SHOP,
        f"{lot('H1', OTHER)} × 80 KGM; {at[1]}",
        "product description; reference documents; harvester",
    ]


def test_records_of_a_product_and_of_a_period(farm: Stand) -> None:
    whole = ask(farm, "fsma-204", until=BEGINNING.replace(hour=20).isoformat())
    assert [row["tracking event"] for row in whole].count("transformation") == 2
    by_product = ask(
        farm, "fsma-204", id=f"https://id.gs1.org/01/{OTHER}", until=BEGINNING.replace(hour=20).isoformat()
    )
    assert {row["traceability lot code"] for row in by_product} == {"M1", "S1"}
    late = ask(
        farm, "fsma-204", since=BEGINNING.replace(minute=5).isoformat(), until=BEGINNING.replace(hour=20).isoformat()
    )
    assert [row["tracking event"] for row in late] == ["receiving"]
    sheet = download(farm, f"/v1/trace-records/fsma-204?{urlencode({'id': lot('S1'), 'format': 'xlsx'})}")
    cells = list(openpyxl.load_workbook(io.BytesIO(sheet.data)).active.iter_rows(values_only=True))
    assert len(cells) == 6 and cells[1][cells[0].index("quantity")] == 500


def test_a_record_holds_only_events_that_the_caller_may_see(farm: Stand) -> None:
    rows = ask(farm, "fsma-204", party="shop", until=BEGINNING.replace(hour=20).isoformat())
    assert [(row["tracking event"], row["traceability lot code"], row["quantity"]) for row in rows] == [
        ("receiving", "", "1")
    ]
    assert "traceability lot code" in rows[0]["missing"]
    assert ask(farm, "fsma-204", party="stranger") == []


def test_a_package_of_medicine_has_a_row_for_each_change_of_hands(stand: Stand) -> None:
    maker, buyer = "https://id.gs1.org/417/9506000111116", "https://id.gs1.org/417/9506000222228"
    gtin = "00312345678906"
    package = item("A1", gtin)
    made = born(0, [package], "B7") | {"ilmd": {"cbvmda:lotNumber": "B7", "cbvmda:itemExpirationDate": "2027-12-31"}}
    statement = {"gs1ushc:affirmTransactionStatement": True, "gs1ushc:legalNotice": "Section 581(27)"}
    sent = told(
        2,
        "ObjectEvent",
        epcList=[unit(1)],
        action="OBSERVE",
        bizStep="shipping",
        sourceList=[{"type": "owning_party", "source": maker}],
        destinationList=[{"type": "owning_party", "destination": buyer}],
        bizTransactionList=[{"type": "po", "bizTransaction": "urn:example:po:9"}],
    )
    sent |= {"@context": [{"gs1ushc": "http://epcis.gs1us.org/hc/ns"}], "gs1ushc:dscsaTransactionStatement": statement}
    capture(stand, made, pack(1, unit(1), [package]), sent)
    (row,) = ask(stand, "dscsa", id=package)
    assert (row["NDC"], row["serial number"], row["lot number"], row["expiration date"]) == (
        gtin[3:13],
        "A1",
        "B7",
        "2027-12-31",
    )
    assert (row["transferred from"], row["transferred to"], row["inside"]) == (maker, buyer, unit(1))
    assert row["transaction statement"].startswith("The sender states in its event")
    assert (row["missing"], row["number of containers"]) == ("product name; strength; dosage form; container size", "1")
    capture(stand, told(5, "ObjectEvent", epcList=[package], action="OBSERVE", bizStep="receiving"))
    second = ask(stand, "dscsa", id=lot("B7", gtin))[1]
    assert (second["transaction"], second["transferred from"]) == ("received", "")
    assert "transferred from; transferred to" in second["missing"]


def test_a_package_is_decommissioned_once_and_undone_only_by_the_rules(stand: Stand) -> None:
    day = 24 * 60
    packages = {name: item(name, GTIN) for name in ("fine", "twice", "undone", "late", "elsewhere", "sold", "stolen")}
    made = born(0, list(packages.values()), "B7")
    made |= {"ilmd": {"cbvmda:lotNumber": "B7", "cbvmda:itemExpirationDate": "2027-12-31"}}

    def seen(days: float, names: str, step: str, disposition: str, place: str = SHOP) -> dict[str, Any]:
        things = [packages[name] for name in names.split()]
        said = {"bizStep": step, "disposition": disposition, "readPoint": {"id": place}}
        return told(days * day, "ObjectEvent", epcList=things, action="OBSERVE", **said)

    capture(
        stand,
        made,
        seen(1, "twice undone late elsewhere stolen", "decommissioning", "inactive"),
        seen(1, "sold", "dispensing", "dispensed"),
        seen(2, "stolen", "holding", "stolen"),
        seen(3, "twice", "dispensing", "dispensed"),
        seen(10, "undone sold stolen", "holding", "active"),
        seen(10, "elsewhere", "holding", "active", PACKER),
        seen(12, "late", "holding", "active"),
        pack(13 * day, unit(1), [packages["fine"]]),
        told(14 * day, "ObjectEvent", epcList=[unit(1)], action="DELETE", bizStep="decommissioning"),
    )
    rows = {row["serial number"]: row for row in ask(stand, "fmd", id=lot("B7"))}
    assert {name: row["state"] for name, row in rows.items()} == {
        "fine": "active",
        "undone": "active",
        **dict.fromkeys(("twice", "late", "elsewhere", "sold", "stolen"), "decommissioned"),
    }
    alerts = {name: row["alerts"].partition(": ")[2] for name, row in rows.items() if row["alerts"] and name != "twice"}
    assert alerts == {
        "late": "more than ten days later",
        "elsewhere": "by another company or at another place",
        "sold": "it was supplied to the public",
        "stolen": "it is stolen",
    }
    assert rows["twice"]["alerts"].startswith("decommissioned again at 2026-03-05")
    assert (rows["fine"]["lot number"], rows["fine"]["expiration date"]) == ("B7", "2027-12-31")
