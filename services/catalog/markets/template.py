"""Empty tables that a company fills in and sends back: CSV with a byte order mark, and workbooks with lists to choose from.

Headings are those that an upload reads. Nothing else stands in the table; what each column means is on a second sheet.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from services.catalog.markets.form import Field, make_form
from services.catalog.markets.pack import Pack, ProductType
from services.catalog.markets.words import Bilingual

ROWS = 10_000
WORDS = {
    "product": Bilingual("产品", "Products"),
    "piece": Bilingual("单件", "Pieces"),
    "help": Bilingual("填写说明", "How to fill in"),
    "column": Bilingual("列", "Column"),
    "required": Bilingual("必填", "Required"),
    "yes": Bilingual("是", "yes"),
    "kind": Bilingual("类型", "Kind"),
    "unit": Bilingual("单位", "Unit"),
    "values": Bilingual("可填内容", "Values"),
    "examples": Bilingual("示例", "Examples"),
    "text": Bilingual("文字", "text"),
    "number": Bilingual("数字", "number"),
    "choice": Bilingual("选项", "choice"),
    "date": Bilingual("日期", "date"),
    "identifier": Bilingual("编号", "identifier"),
    "several": Bilingual("多个值以分号隔开", "several, separated by semicolons"),
}
PRODUCT_NUMBER = Bilingual("产品编号", "Product no.")
_filled = PatternFill("solid", fgColor="DDE7F3")


@dataclass(frozen=True)
class Column:
    """A column of a template: its name, its heading, and the field of the form that it is for, if there is one."""

    name: str
    heading: Bilingual
    required: bool
    field: Field | None = None


def list_columns(pack: Pack, type: ProductType, of: str) -> list[Column]:
    """The columns of a template for products or for pieces of a type."""
    fields = {field.name: field for field in make_form(pack, type).fields}
    if of == "product":
        first = [Column("number", PRODUCT_NUMBER, True)]
        fields = {name: field for name, field in fields.items() if field.level == "product"}
    else:
        columns = pack.columns
        first = [
            Column(name, getattr(columns, name).name, name != "epc" and getattr(columns, name).default is None)
            for name in columns.__struct_fields__
        ]
    return first + [Column(name, field.label, field.required, field) for name, field in fields.items()]


def make_csv(pack: Pack, type: ProductType, of: str, language: str) -> bytes:
    """A template as CSV in UTF-8 with a byte order mark, by which spreadsheets know it."""
    out = io.StringIO()
    csv.writer(out).writerow([getattr(column.heading, language) for column in list_columns(pack, type, of)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def make_workbook(pack: Pack, type: ProductType, of: str, language: str) -> bytes:
    """A template as XLSX: the table with lists to choose from, what each column means, and the lists."""
    columns = list_columns(pack, type, of)
    book = Workbook()
    table, notes, lists = book.active, book.create_sheet(_say("help", language)), book.create_sheet("choices")
    assert isinstance(table, Worksheet)
    table.title = _say(of, language)
    lists.sheet_state = "hidden"
    for place, column in enumerate(columns, 1):
        _add_column(table, place, column, language)
        if column.field and column.field.choices and not column.field.many:
            _add_list(table, lists, place, [getattr(choice.name, language) for choice in column.field.choices])
    table.freeze_panes = "A2"
    _write_notes(notes, columns, language)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _add_column(table: Worksheet, place: int, column: Column, language: str) -> None:
    """Write a heading. Cells below are text: a spreadsheet would drop noughts and turn long numbers into exponents."""
    letter, heading = get_column_letter(place), getattr(column.heading, language)
    cell = table.cell(1, place, heading)
    cell.font, cell.fill = Font(bold=column.required), _filled
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    table.column_dimensions[letter].width = max(12, min(40, 2 * len(heading)))
    table.column_dimensions[letter].number_format = "@"


def _add_list(table: Worksheet, lists: Worksheet, place: int, names: list[str]) -> None:
    for row, name in enumerate(names, 1):
        lists.cell(row, place, name)
    letter = get_column_letter(place)
    choose = DataValidation(type="list", formula1=f"choices!${letter}$1:${letter}${len(names)}", allow_blank=True)
    # What is not in the list may still be right: a choice is read by each of its names.
    choose.showErrorMessage = False
    table.add_data_validation(choose)
    choose.add(f"{letter}2:{letter}{ROWS + 1}")


def _write_notes(notes: Worksheet, columns: list[Column], language: str) -> None:
    notes.append(
        [_say(word, language) for word in ("column", "required", "kind", "unit", "values", "examples", "help")]
    )
    for column in columns:
        field = column.field
        notes.append([
            getattr(column.heading, language),
            _say("yes", language) if column.required else "",
            _say(field.input, language) if field else "",
            getattr(field.unit.name, language) if field and field.unit else "",
            _say_values(field, language) if field else "",
            "; ".join(field.examples[:5]) if field else "",
            getattr(field.help, language) if field and field.help else "",
        ])  # fmt: skip
    for place, width in enumerate((28, 8, 12, 10, 60, 40, 60), 1):
        notes.column_dimensions[get_column_letter(place)].width = width
        notes.cell(1, place).font = Font(bold=True)


def _say_values(field: Field, language: str) -> str:
    said = []
    if field.choices:
        said.append(", ".join(getattr(choice.name, language) for choice in field.choices))
    if field.least is not None or field.most is not None:
        said.append(
            f"{field.least if field.least is not None else ''} … {field.most if field.most is not None else ''}"
        )
    if field.must_match:
        said.append(getattr(field.must_match, language))
    if field.many:
        said.append(_say("several", language))
    return "; ".join(said)


def _say(word: str, language: str) -> str:
    return str(getattr(WORDS[word], language))
