"""What comes out of a pack for machines and people: JSON Schema, forms, templates."""

from __future__ import annotations

import csv
import io

import jsonschema_rs
import msgspec
import pytest
from openpyxl import load_workbook

from chassis.uploads.headings import guess_columns
from services.catalog.imports.attribute_fields import list_attribute_fields
from services.catalog.markets.form import make_form
from services.catalog.markets.loader import load_packs
from services.catalog.markets.pack import Pack
from services.catalog.markets.samples import make_samples
from services.catalog.markets.schema import levels_of, make_schema
from services.catalog.markets.template import list_columns, make_csv, make_workbook
from services.catalog.markets.texts import fold_heading
from tests.unit.catalog.tea import read_tea

TEA = read_tea()
MARKETS = sorted(load_packs())
LEAF = {"kind": "green", "garden": "祁门历口"}


def validator(pack: Pack, level: str = "product") -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(make_schema(pack, 1, level, pack.types), validate_formats=True)


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("level", ["product", "piece"])
def test_samples_fit_the_schema_and_the_schema_is_one(market: str, level: str) -> None:
    pack = load_packs()[market]
    schema = validator(pack, level)
    for sample in make_samples(pack, 7, 60):
        attributes = sample.at(pack, *levels_of(level))
        assert schema.is_valid(attributes), (attributes, [error.message for error in schema.iter_errors(attributes)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "green"},
        LEAF | {"kind": "绿茶"},
        LEAF | {"kind": "coffee"},
        LEAF | {"pack_g": "100"},
        LEAF | {"batch": "B1"},
        LEAF | {"garden": ""},
        LEAF | {"garden": "x" * 201},
        LEAF | {"strange": "1"},
        LEAF | {"garden": 5},
        {"kind": "puer", "garden": "易武", "pack_g": "35.7", "gtin": "06901234567892"},
    ],
)
def test_what_does_not_fit_the_schema(wrong: dict[str, object]) -> None:
    schema = validator(TEA)
    assert schema.is_valid(LEAF) and not schema.is_valid(wrong)


def test_a_schema_says_what_it_is_of() -> None:
    schema = make_schema(TEA, 3, "lot", TEA.types[:1])
    assert (schema["$id"], schema["title"], schema["x-zh"]) == ("urn:haihe:market:tea:3:lot", "Tea", "茶叶云")
    leaf = schema["$defs"]["leaf"]
    assert leaf["required"] == ["batch", "best_before"] and list(leaf["properties"]) == [
        "batch",
        "best_before",
        "moisture",
    ]
    assert leaf["properties"]["moisture"] == {
        "title": "Moisture (%)", "x-zh": "水分(%)", "description": "As measured by GB 5009.3", "x-help-zh": "按 GB 5009.3 测定",
        "type": "string", "format": "decimal", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,1})?$", "x-most": "15", "x-unit": "P1",
    }  # fmt: skip


def test_a_form_has_the_fields_in_order_with_all_that_a_person_needs() -> None:
    form = make_form(TEA, TEA.types_by_name["retail"])
    assert [field.name for field in form.fields] == [
        "kind", "garden", "pack_g", "gtin", "labels", "batch", "best_before", "moisture",
    ]  # fmt: skip
    kind, _, pack, gtin, labels, batch, *_ = form.fields
    assert [choice.code for choice in kind.choices] == ["puer"] and kind.required
    assert (
        pack.unit
        and (pack.unit.code, pack.unit.name.zh) == ("GRM", "克")
        and (str(pack.least), str(pack.most)) == ("10", "50000")
    )
    assert gtin.must_match and gtin.required and labels.many and not labels.required
    assert (batch.level, batch.input, batch.least) == ("lot", "identifier", None)
    assert [rule.name for rule in form.licences] == ["food_trade", "organic"] and form.is_moderated
    assert [mode.mode for mode in form.modes] == ["listing", "inquiry"] and form.units.trade == ["KGM"]


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_upload_reads_every_heading_of_a_template_of_pieces(market: str, language: str) -> None:
    pack = load_packs()[market]
    for type in pack.types:
        content = make_csv(pack, type, "piece", language)
        assert content.startswith(b"\xef\xbb\xbf")
        (headings,) = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        columns = list_columns(pack, type, "piece")
        assert [pack.by_heading[fold_heading(heading)] for heading in headings] == [column.name for column in columns]
        found = guess_columns(list_attribute_fields(pack, pack.attributes), headings[5:])
        assert [(column.field, column.unit) for column in found] == [(column.name, None) for column in columns[5:]]


def test_a_workbook_has_the_table_first_with_lists_to_choose_from() -> None:
    type = TEA.types_by_name["leaf"]
    book = load_workbook(io.BytesIO(make_workbook(TEA, type, "product", "zh")))
    assert book.sheetnames == ["产品", "填写说明", "choices"] and book["choices"].sheet_state == "hidden"
    assert [[cell.value for cell in row] for row in book["产品"]] == [["产品编号", "茶类", "茶园", "商品条码", "认证"]]
    (choose,) = book["产品"].data_validations.dataValidation
    assert (str(choose.sqref), choose.formula1) == ("B2:B10001", "choices!$B$1:$B$2")
    assert [row[1].value for row in book["choices"]] == ["红茶", "绿茶"]
    notes = {row[0].value: [cell.value for cell in row[1:]] for row in book["填写说明"]}
    assert notes["茶类"] == ["是", "选项", None, "红茶, 绿茶", None, None]
    assert notes["认证"][3] == "有机, 公平贸易; 多个值以分号隔开"
    english = load_workbook(io.BytesIO(make_workbook(TEA, type, "piece", "en")))
    assert english.sheetnames[0] == "Pieces"
    assert [cell.value for cell in english["Pieces"][1]][:5] == [
        "Chest no.",
        "Net weight (kg)",
        "Gross weight (kg)",
        "Warehouse",
        "EPC",
    ]


def test_schema_and_form_are_plain_json() -> None:
    for pack in load_packs().values():
        msgspec.json.encode(make_schema(pack, 1, "piece", pack.types))
        msgspec.json.encode([make_form(pack, type) for type in pack.types], enc_hook=str)
