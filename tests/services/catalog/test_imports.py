"""Uploads: what is taken in, what is refused and where, and what a file that comes again does."""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook
from sqlalchemy import event

from events.catalog import PieceDescribed
from events.orders import DealCompleted
from tests.services.catalog.conftest import (
    BUYER,
    HEADING,
    MILL,
    OTHER,
    STORE,
    Catalog,
    offer,
    party,
    row,
    sheet,
)

EPC = "3034257BF400B7800004CB2F"
OTHER_EPC = "3034257BF400B7800004CB30"
NOTHING = {"rows": 0, "created": 0, "updated": 0, "unchanged": 0, "errors": [], "errors_left_out": 0}


def report(**members: object) -> dict[str, object]:
    return {**NOTHING, **members}


def error(row: int, column: str, detail: str) -> dict[str, object]:
    return {"row": row, "column": column, "detail": detail}


def test_a_file_in_chinese_is_taken_in_and_told(catalog: Catalog) -> None:
    answer = catalog.upload(sheet(row("C-001", epc=EPC.lower()), row("C-002", thickness="3.00", coating="Z275")))
    assert answer.ok() == report(rows=2, created=2)

    piece = catalog.pieces()["C-001"]
    assert piece == {
        "id": piece["id"],
        "version": 1,
        "market": "steel",
        "market_version": 1,
        "product_id": None,
        "maker_id": MILL,
        "owner_id": MILL,
        "warehouse_id": STORE,
        "number": "C-001",
        "title": {"zh": "热轧卷板 Q235B 5.5*1250*C", "en": "Hot rolled coil Q235B 5.5*1250*C"},
        "attributes": {
            "kind": "hot_rolled_coil",
            "grade": "Q235B",
            "standard": "GB/T 3274-2017",
            "thickness_mm": "5.5",
            "width_mm": "1250",
            "heat_no": "H26-118",
            "certificate_type": "3.1",
            "certificate_no": "ZB-77",
        },
        "net": {"value": "23450", "unit": "KGM"},
        "gross": {"value": "23480", "unit": "KGM"},
        "epc": EPC,
        "theoretical": None,
        "blocked": "certificate_missing",
        "state": "free",
        "made_at": "2026-03-02T08:00:00Z",
        "changed_at": "2026-03-02T08:00:00Z",
    }
    first, second = catalog.told(PieceDescribed)
    assert (first.piece_id, first.number, first.version, first.epc) == (piece["id"], "C-001", 1, EPC)
    assert second.attributes["thickness_mm"] == "3" and second.title["en"] == "Hot rolled coil Q235B 3*1250*C Z275"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with byte order mark"])
def test_english_headings_in_any_order_and_case(catalog: Catalog, mark: bytes) -> None:
    heading = "EPC,warehouse,COIL NO,Kind,grade,STANDARD,thickness_mm,Width(mm),heat,net kg,Gross Weight (kg),"
    heading += "EN 10204,certificate"
    line = f"{EPC},LEIPARTY_STORE,C-9,Hot rolled coil,S235JR,EN 10025-2,5.5,1250,7,1000,1001,EN 10204 3.1,Z"
    assert catalog.upload(mark + f"{heading}\n{line}\n".encode()).ok() == report(rows=1, created=1)
    assert catalog.pieces()["C-9"]["warehouse_id"] == STORE


def test_the_same_file_again_changes_nothing(catalog: Catalog) -> None:
    body = sheet(*(row(f"C-{i:03}") for i in range(50)))
    assert catalog.upload(body).ok() == report(rows=50, created=50)
    told = len(catalog.told(PieceDescribed))
    before = catalog.world.count_rows()
    assert catalog.upload(body).ok() == report(rows=50, unchanged=50)
    assert catalog.world.count_rows() == before and len(catalog.told(PieceDescribed)) == told


def test_the_same_idempotency_key_gives_the_same_answer_and_another_file_under_it_is_refused(catalog: Catalog) -> None:
    first = catalog.upload(sheet(row()), key="one")
    again = catalog.upload(sheet(row()), key="one")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (first.body, "true")
    assert catalog.upload(sheet(row("C-2")), key="one").problem() == "key_reused"
    assert list(catalog.pieces()) == ["C-001"]


def test_changed_data_update_a_free_piece_and_leave_a_history(catalog: Catalog) -> None:
    catalog.upload(sheet(row())).ok()
    assert catalog.upload(sheet(row(grade="Q355B", net="23400"))).ok() == report(rows=1, updated=1)
    piece = catalog.pieces()["C-001"]
    assert (piece["version"], piece["attributes"]["grade"]) == (2, "Q355B")
    assert piece["title"]["zh"] == "热轧卷板 Q355B 5.5*1250*C"
    assert catalog.mill.get(f"/v1/pieces/{piece['id']}/changes").ok()["items"] == [
        {
            "version": 2,
            "at": "2026-03-02T08:00:00Z",
            "user_id": "user_party_mill",
            "changes": {"grade": ["Q235B", "Q355B"], "net": ["23450 KGM", "23400 KGM"]},
        }
    ]
    assert [event.version for event in catalog.told(PieceDescribed)] == [1, 2]
    assert catalog.upload(sheet(row(grade="Q355B", net="23400"))).ok() == report(rows=1, unchanged=1)


def test_bad_cells_are_named_by_row_and_column_and_good_rows_go_in(catalog: Catalog) -> None:
    rows = [
        row("C-002", thickness="5,5".replace(",", ".") + "e3"),
        row("C-003", net="abc", gross=""),
        row("C-004"),
        row("C-005", kind="木材", epc="E28011700000020A1B2C3D4E"),
        row("", warehouse="无此仓库"),
        row("C-006", net="23481"),
    ]
    answer = catalog.upload(sheet(*rows)).ok()
    kinds = "Hot rolled coil, Hot rolled pickled and oiled coil, Cold rolled coil, Hot-dip galvanized coil, "
    assert answer == report(
        rows=6,
        created=1,
        errors=[
            error(2, "厚度(mm)", "is in exponent form: write plain digits"),
            error(3, "净重(kg)", "is not a number in plain digits, such as 5.5"),
            error(3, "毛重(kg)", "is missing"),
            error(5, "EPC", "is the serial number of the chip (TID), not the EPC written on the tag"),
            error(
                5,
                "品名",
                "not one of: " + kinds + "Aluminium-zinc coated coil, Prepainted coil, Electrical steel coil, "
                "Stainless steel coil, Heavy plate, Rebar, Rebar in coil, Wire rod, H section, I section, Channel, Angle, "
                "Hot rolled sheet, Cold rolled sheet, Galvanized sheet, Stainless steel sheet, Round bar, Flat bar, "
                "Seamless pipe, Welded pipe, Billet, Slab",
            ),
            error(6, "卷号", "is missing"),
            error(7, "毛重(kg)", "is less than the net weight"),
        ],
    )
    assert list(catalog.pieces()) == ["C-004"]


EXPONENT = "is in exponent form: the spreadsheet has lost its digits, format the column as text"
UNKNOWN_WAREHOUSE = "no company is known by this name, identifier or id (a new one takes a moment)"


@pytest.mark.parametrize(
    ("cell", "value", "column", "detail"),
    [
        ("net", "NaN", "净重(kg)", "is not a number in plain digits, such as 5.5"),
        ("net", "Infinity", "净重(kg)", "is not a number in plain digits, such as 5.5"),
        ("net", "1e999999", "净重(kg)", "is in exponent form: write plain digits"),
        ("net", "-1", "净重(kg)", "is not between 1 and 100000"),
        ("net", "9" * 40, "净重(kg)", "is not a number in plain digits, such as 5.5"),
        ("net", "23450.0001", "净重(kg)", "has more than 3 decimals"),
        ("net", "２３４５０", "净重(kg)", "is not a number in plain digits, such as 5.5"),
        ("thickness", "0", "厚度(mm)", "is not between 0.1 and 400"),
        ("number", "2.30506E+11", "卷号", EXPONENT),
        ("number", "C\x00-1", "卷号", "has control characters or other hidden signs"),
        ("number", "C\u202e-1", "卷号", "has control characters or other hidden signs"),
        ("heat", "=1+1", "炉号", "begins with =, which a spreadsheet would run as a formula"),
        ("heat", "H" * 65, "炉号", "is longer than 64 characters"),
        ("grade", "Q235B;DROP", "牌号", "has signs that do not belong there"),
        ("standard", "G" * 201, "标准", "is longer than 200 characters"),
        ("epc", "3034257BF400B7800004CB", "EPC", "is not 24 hexadecimal digits (96 bits)"),
        ("epc", "FFFFFFFFFFFFFFFFFFFFFFFF", "EPC", "is not laid out as an EPC (GS1 Tag Data Standard)"),
        ("type", "9.9", "质保书类型", "not one of: Declaration of compliance with the order 2.1, Test report 2.2, "
         "Inspection certificate 3.1, Inspection certificate 3.2"),
        ("warehouse", "无此仓库", "仓库", UNKNOWN_WAREHOUSE),
    ],
)  # fmt: skip
def test_a_hostile_cell_is_refused(catalog: Catalog, cell: str, value: str, column: str, detail: str) -> None:
    before = catalog.world.count_rows()
    assert catalog.upload(sheet(row(**{cell: value}))).ok() == report(rows=1, errors=[error(2, column, detail)])
    assert catalog.world.count_rows() == before


def test_twins_in_a_file_are_refused_and_the_first_goes_in(catalog: Catalog) -> None:
    rows = [row("C-1", epc=EPC), row("C-1", grade="Q355B"), row("C-2", epc=EPC.lower())]
    assert catalog.upload(sheet(*rows)).ok() == report(
        rows=3,
        created=1,
        errors=[error(3, "卷号", "stands in row 2 already"), error(4, "EPC", "stands in row 2 already")],
    )


def test_a_tag_on_another_piece_is_refused_whoever_owns_it(catalog: Catalog) -> None:
    catalog.upload(sheet(row("C-1", epc=EPC))).ok()
    taken = "the tag is on another piece already"
    refused = report(rows=1, errors=[error(2, "EPC", taken)])
    assert catalog.upload(sheet(row("D-1", epc=EPC)), catalog.other).ok() == refused
    assert catalog.upload(sheet(row("C-2", epc=EPC))).ok() == refused
    assert catalog.upload(sheet(row("C-1", epc=OTHER_EPC))).ok() == report(rows=1, updated=1)
    assert catalog.upload(sheet(row("D-1", epc=EPC)), catalog.other).ok() == report(rows=1, created=1)


def test_number_and_maker_name_a_piece_so_two_makers_may_use_one_number(catalog: Catalog) -> None:
    assert catalog.upload(sheet(row("C-1"))).ok()["created"] == 1
    assert catalog.upload(sheet(row("C-1", grade="Q355B")), catalog.other).ok()["created"] == 1
    grades = {by.party_id: catalog.pieces(by)["C-1"]["attributes"]["grade"] for by in (catalog.mill, catalog.other)}
    assert grades == {MILL: "Q235B", OTHER: "Q355B"}


def test_blank_rows_count_and_are_passed_over(catalog: Catalog) -> None:
    body = sheet("", ",,,,,,,,,,,,,", row("C-1", net="x"))
    wrong = error(4, "净重(kg)", "is not a number in plain digits, such as 5.5")
    assert catalog.upload(body).ok() == report(rows=1, errors=[wrong])


def test_a_row_that_is_too_short_or_too_long(catalog: Catalog) -> None:
    answer = catalog.upload(sheet(row("C-1") + ",more", "热轧卷板,Q235B", row("C-2") + ",,")).ok()
    long, short = (f"has {count} cells where the heading has 14" for count in (15, 2))
    assert answer == report(rows=3, created=1, errors=[error(2, "", long), error(3, "", short)])


def test_a_heading_without_which_nothing_can_be_read_stops_all(catalog: Catalog) -> None:
    heading = HEADING.replace("炉号", "备注").replace("毛重(kg)", "Net weight (kg)")
    assert catalog.upload(sheet(row(), heading=heading)).ok() == report(
        errors=[
            error(1, "备注", "no column of this market is called so: it was not read"),
            error(1, "Net weight (kg)", "the same column as '净重(kg)'"),
            error(1, "Gross weight (kg)", "this column is missing"),
            error(1, "Heat no.", "this column is missing"),
        ]
    )
    assert catalog.pieces() == {}


def test_a_column_that_is_not_known_is_named_and_the_rest_is_read(catalog: Catalog) -> None:
    body = sheet(row() + ",memo", heading=HEADING + ",备注")
    unknown = error(1, "备注", "no column of this market is called so: it was not read")
    assert catalog.upload(body).ok() == report(rows=1, created=1, errors=[unknown])


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not_readable"),
        (sheet(row()) + b"\xff\xfe", "not_readable"),
        (sheet(row()).decode().encode("utf-16"), "not_readable"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "not_readable"),
        (b"PK\x03\x04" + b"x" * 100, "not_readable"),
        (sheet(row('"C-1')), "not_readable"),
        (sheet(*[row(f"C-{i}") for i in range(10_001)]), "too_many_rows"),
        (sheet(heading=",".join("abcdefgh"[i % 8] for i in range(201))), "not_readable"),
    ],
    ids=["empty", "no encoding", "UTF-16", "XLS", "broken XLSX", "open quote", "10,001 rows", "201 columns"],
)
def test_a_file_that_cannot_be_read_is_refused_whole(catalog: Catalog, body: bytes, problem: str) -> None:
    before = catalog.world.count_rows()
    answer = catalog.upload(body)
    assert (answer.status, answer.problem()) == (422, problem)
    assert catalog.world.count_rows() == before


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook(**tabs: list[list[object]]) -> bytes:
    """A workbook of sheets, each below the headings of an upload."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in tabs.items():
        tab = book.create_sheet(name)
        for cells in (HEADING.split(","), *rows):
            tab.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def cells(number: object = "C-1", net: object = 23450, gross: object = 23480) -> list[object]:
    line: list[object] = row("C-1").split(",")
    line[6], line[8], line[9] = number, net, gross
    return line


def test_a_workbook_is_taken_in_as_a_csv_file_is(catalog: Catalog) -> None:
    body = workbook(一=[cells("C-1"), cells("C-2", 20100.5, 20200)], 二=[cells("C-3")])
    assert catalog.upload(body, content_type=XLSX).ok() == report(rows=2, created=2)
    assert catalog.upload(sheet(row("C-1"))).ok() == report(rows=1, unchanged=1)
    assert catalog.pieces()["C-2"]["net"] == {"value": "20100.5", "unit": "KGM"}
    asked = {"market": "steel", "sheet": "二"}
    assert catalog.upload(body, content_type=XLSX, params=asked).ok() == report(rows=1, created=1)
    answer = catalog.upload(body, content_type=XLSX, params={"market": "steel", "sheet": "三"})
    assert (answer.status, answer.problem(), answer.body["field"]) == (422, "no_such_sheet", "$.sheet")


def test_a_cell_of_a_workbook_that_is_not_plain_is_refused_by_row_and_column(catalog: Catalog) -> None:
    answer = catalog.upload(workbook(a=[cells(net="=1+1"), cells("C-2")]), content_type=XLSX).ok()
    assert answer == report(rows=2, created=1, errors=[error(2, "净重(kg)", "is a formula: paste its value")])


def test_a_file_in_gb18030_is_taken_in(catalog: Catalog) -> None:
    assert catalog.upload(sheet(row()).decode().encode("gb18030")).ok() == report(rows=1, created=1)
    assert catalog.upload(sheet(row())).ok() == report(rows=1, unchanged=1)


def test_a_total_that_differs_takes_nothing_in(catalog: Catalog) -> None:
    rows = [row("C-1"), row("C-2", net="20000", gross="20010")]
    before = catalog.world.count_rows()
    answer = catalog.upload(sheet(*rows, "合计,,,,,,,,43451,43490,,,,")).ok()
    differs = "the total is 43451, the rows come to 43450"
    assert answer == report(rows=2, errors=[error(4, "净重(kg)", differs)]) and catalog.world.count_rows() == before
    assert catalog.upload(sheet(*rows, "合计,,,,,,2件,,43450,43490,,,,")).ok() == report(rows=2, created=2)


def test_plates_and_rebar_carry_their_theoretical_weight(catalog: Catalog) -> None:
    heading = HEADING + ",长度(m),公称直径(mm),支数"
    plate = row("P-1", kind="中厚板", thickness="20", width="2000", net="2500", gross="2501") + ",8,,"
    rebar = row("R-1", kind="螺纹钢", grade="HRB400E", thickness="", width="", net="1060", gross="1061") + ",12,12,100"
    assert catalog.upload(sheet(plate, rebar, row("C-1") + ",,,", heading=heading)).ok() == report(rows=3, created=3)
    told = {event.number: event.theoretical and str(event.theoretical) for event in catalog.told(PieceDescribed)}
    assert told == {"P-1": "2512 KGM", "R-1": "1066 KGM", "C-1": None}
    assert catalog.pieces()["R-1"]["theoretical"] == {"value": "1066", "unit": "KGM"}


def test_more_than_ten_megabytes_another_type_and_another_market(catalog: Catalog) -> None:
    assert catalog.upload(b"x" * (10 << 20) + b"y").status == 413
    assert catalog.upload(b"{}", content_type="application/json").status == 415
    answer = catalog.upload(sheet(row()), params={"market": "timber"})
    assert (answer.status, answer.problem(), answer.body["field"]) == (422, "unknown_market", "$.market")
    assert catalog.upload(sheet(row()), params={}).body["field"] == "$.market"


def test_only_a_seller_uploads(catalog: Catalog) -> None:
    assert catalog.upload(sheet(row()), catalog.buyer).status == 403
    assert catalog.upload(sheet(row()), catalog.public).status == 401
    assert catalog.upload(sheet(row()), key="").status == 428


def test_an_offered_piece_does_not_change_until_it_is_free_again(catalog: Catalog) -> None:
    catalog.upload(sheet(row("C-1"), row("C-2"))).ok()
    ids = {number: piece["id"] for number, piece in catalog.pieces().items()}
    held = error(2, "卷号", "the piece is offered or in a deal: its data cannot change now")
    changed = sheet(row("C-1", grade="Q355B"), row("C-2", grade="Q355B"))

    catalog.hear(offer("offer_1", 1, piece_ids=[ids["C-1"]]))
    assert catalog.upload(changed).ok() == report(rows=2, updated=1, errors=[held])
    assert catalog.upload(sheet(row("C-1"))).ok() == report(rows=1, unchanged=1)

    catalog.hear(offer("offer_1", 2, piece_ids=[], taken_piece_ids=[ids["C-1"]], state="taken"))
    assert catalog.upload(changed).ok() == report(rows=2, unchanged=1, errors=[held])

    catalog.hear(offer("offer_1", 4, state="withdrawn", piece_ids=[ids["C-1"]]))
    catalog.hear(offer("offer_1", 3, piece_ids=[ids["C-1"]]))
    assert catalog.upload(changed).ok() == report(rows=2, updated=1, unchanged=1)


def test_a_sold_piece_is_the_buyers_and_the_mills_file_is_still_a_no_op(catalog: Catalog) -> None:
    body = sheet(row("C-1"), row("C-2"))
    catalog.upload(body).ok()
    id = catalog.pieces()["C-1"]["id"]
    catalog.hear(DealCompleted(deal_id="deal_1", buyer_id=BUYER, seller_id=MILL, piece_ids=[id]))
    catalog.hear(DealCompleted(deal_id="deal_1", buyer_id=BUYER, seller_id=MILL, piece_ids=[id]))

    assert catalog.upload(body).ok() == report(rows=2, unchanged=2)
    sold = error(2, "卷号", "the piece was sold: its data no longer change")
    assert catalog.upload(sheet(row("C-1", net="1"))).ok() == report(rows=1, errors=[sold])
    told = [said for said in catalog.told(PieceDescribed) if said.piece_id == id][-1]
    assert (told.piece_id, told.version, told.maker_id, told.owner_id, told.warehouse_id) == (id, 2, MILL, BUYER, BUYER)


def test_two_companies_of_one_name_must_be_told_apart(catalog: Catalog) -> None:
    catalog.hear(party("party_twin", name="滨海 仓库"))
    several = "is the name of several companies: write one of party_store, party_twin"
    assert catalog.upload(sheet(row())).ok() == report(rows=1, errors=[error(2, "仓库", several)])
    assert catalog.upload(sheet(row(warehouse=STORE))).ok()["created"] == 1
    catalog.hear(party("party_twin", 2, name="滨海仓库", state="suspended"))
    assert catalog.upload(sheet(row("C-2"))).ok()["created"] == 1


def test_errors_are_limited_and_the_rest_counted(catalog: Catalog) -> None:
    answer = catalog.upload(sheet(*(row(f"C-{i}", net="x") for i in range(1_200)))).ok()
    assert (answer["rows"], len(answer["errors"]), answer["errors_left_out"]) == (1_200, 1_000, 200)
    assert answer["errors"][-1]["row"] == 1_001


def test_a_thousand_rows_need_hardly_more_statements_than_ten_rows(catalog: Catalog) -> None:
    def count(rows: int, grade: str, first: int) -> int:
        statements: list[str] = []
        engine = catalog.world.databases["catalog"].engine
        # What tokens are checked by is read anew from time to time, whatever is uploaded.
        listener = lambda *call: "access_" in call[2] or statements.append(call[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", listener)
        answer = catalog.upload(sheet(*(row(f"{first + i}", grade=grade, epc=tag(first + i)) for i in range(rows))))
        event.remove(engine, "before_cursor_execute", listener)
        assert answer.ok()["errors"] == []
        return len(statements)

    def tag(number: int) -> str:
        return f"3034257BF400B780{number:08X}"

    made = count(10, "Q235B", 0), count(1_000, "Q235B", 100)
    changed = count(10, "Q355B", 0), count(1_000, "Q355B", 100)
    assert made[1] <= made[0] + 1 and max(made) <= 15, made
    assert changed[1] <= changed[0] + 1 and max(changed) <= 15, changed
