"""The columns of an upload of products, and what makes products of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, get_args

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.uploads.fields import Field, Outcome, Values
from chassis.uploads.headings import fold_word
from services.catalog.imports.attribute_fields import list_attribute_fields
from services.catalog.markets.checks import CHECKS
from services.catalog.markets.checks.check import CheckFailed
from services.catalog.markets.pack import Pack
from services.catalog.markets.template import PRODUCT_NUMBER
from services.catalog.markets.texts import read_identifier
from services.catalog.products.commands import describe_products
from services.catalog.products.draft import Draft, Wanted

MAX_DESCRIPTION = 4_000
STATES = {"draft": ("草稿", "draft"), "published": ("发布", "published")}
_TEXTS = (("zh", "text_zh"), ("en", "text_en"))
_state_words = {fold_word(word): state for state, words in STATES.items() for word in (*words, state)}
_state_words |= {"已发布": "published", "publish": "published"}
_LABELS = {
    "number": (PRODUCT_NUMBER.zh, PRODUCT_NUMBER.en),
    "gtin": ("商品条码(GTIN)", "GTIN"),
    "text_zh": ("中文说明", "Description in Chinese"),
    "text_en": ("英文说明", "Description in English"),
    "state": ("状态", "State"),
}
_HEADINGS = {
    "number": ("产品编号", "产品号", "货号", "编号", "product no", "product number", "item no", "sku", "number"),
    "gtin": ("商品条码(gtin)", "商品条码", "条码", "gtin", "ean", "barcode"),
    "text_zh": ("中文说明", "说明", "产品说明", "description in chinese"),
    "text_en": ("英文说明", "description in english", "description"),
    "state": ("状态", "state"),
}


def list_fields(pack: Pack) -> list[Field]:
    """The columns that an upload of products of a market may have; an attribute of the same name stands before one of ours."""
    attributes = [attribute for attribute in pack.attributes if attribute.level == "product"]
    taken = {attribute.name for attribute in attributes}
    rest = [_make_field(name) for name in _LABELS if name not in taken and name != "number"]
    return [_make_field("number"), *list_attribute_fields(pack, attributes), *rest]


def _make_field(name: str) -> Field:
    zh, en = _LABELS[name]
    is_number = name == "number"
    return Field(
        name=name,
        label={"zh": zh, "en": en},
        headings=_HEADINGS[name],
        read=_READERS[name],
        kind="identifier" if name in ("number", "gtin") else "text",
        required=is_number,
        unique=is_number,
    )


def _read_description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION:
        raise CheckFailed(f"is longer than {MAX_DESCRIPTION} characters", f"超过{MAX_DESCRIPTION}个字符")
    if not all(sign.isprintable() or sign in "\n\r\t" for sign in text):
        raise CheckFailed("has control characters or other hidden signs", "含有控制字符或其他不可见字符")
    return text


def _read_state(text: str) -> Wanted:
    if (state := _state_words.get(fold_word(text))) is None:
        raise CheckFailed(f"not one of: {', '.join(get_args(Wanted))}", "不是以下之一：草稿、发布")
    return state  # type: ignore[return-value]


_READERS: dict[str, Callable[[str], Any]] = {
    "number": read_identifier,
    "gtin": lambda text: CHECKS["gtin14"].check(text),
    "text_zh": _read_description,
    "text_en": _read_description,
    "state": _read_state,
}


class ProductRows:
    """Makes products of the rows of one upload."""

    def __init__(self, pack: Pack, caller: Caller) -> None:
        self._pack, self._caller = pack, caller
        attributes = {attribute.name for attribute in pack.attributes if attribute.level == "product"}
        self._own = [name for name in _LABELS if name not in attributes]

    def check(self, values: Values) -> Iterable[tuple[str, str]]:
        """Nothing: what a product type asks for is checked where products are described."""
        return ()

    def store(self, session: Session, rows: Sequence[Values]) -> Outcome:
        """Make the caller's products, or change them."""
        done = describe_products(session, self._caller, self._pack, [self._make_draft(row) for row in rows])
        return Outcome(done.created, done.updated, done.unchanged, done.refused)

    def _make_draft(self, row: Values) -> Draft:
        attributes = dict(row)
        own = {name: attributes.pop(name) for name in self._own if name in row}
        return Draft(
            number=own["number"],
            attributes=attributes,
            texts={language: own[key] for language, key in _TEXTS if key in own},
            gtin=own.get("gtin"),
            state=own.get("state", "draft"),
        )
