"""The columns of a price list: one row an offer under its seller's number, and how each cell is read.

A row of a number that is free lists an offer of a product. A row of an open offer gives it new terms and says how much shall
be left to sell; what such a row does not say stays. Nothing of a quantity withdraws the offer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, get_args

import msgspec

from chassis.units import UNITS
from chassis.uploads.fields import Field, Values
from chassis.uploads.headings import fold_word
from chassis.values import CURRENCY_EXPONENTS, Exact, read_exact
from events.orders import DeliveryMode, TaxBasis, WeighingRule

MAX_TEXT, MAX_NUMBER, MAX_BUYERS = 200, 80, 50
_END_OF_DAY = time(23, 59, 59, tzinfo=UTC)


class PriceRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a row says; None is not said. Quantities are in ``unit``, and so is what the price is for."""

    number: str
    product: str | None = None
    buyer: tuple[str, ...] | None = None
    price: Exact | None = None
    currency: str | None = None
    unit: str | None = None
    tax_basis: TaxBasis | None = None
    tax_rate: Exact | None = None
    quantity: Exact | None = None
    minimum: Exact | None = None
    step: Exact | None = None
    place: str | None = None
    warehouse: str | None = None
    delivery_mode: DeliveryMode | None = None
    deliver_by: datetime | None = None
    valid_until: datetime | None = None
    weighing_rule: WeighingRule | None = None


def read_text(most: int) -> Callable[[str], str]:
    """Reads a text of at most so many characters."""

    def read(text: str) -> str:
        if len(text) > most:
            raise ValueError(f"has more than {most} characters")
        if not text.isprintable():
            raise ValueError("has signs that cannot be shown")
        return text

    return read


def read_buyers(text: str) -> tuple[str, ...]:
    """One or more companies, with semicolons between them."""
    found = tuple(dict.fromkeys(part.strip() for part in text.replace("；", ";").split(";") if part.strip()))
    if not found or len(found) > MAX_BUYERS:
        raise ValueError(f"names at least one company and at most {MAX_BUYERS}")
    return found


def read_number(text: str) -> Exact:
    """A number that is not negative, in plain digits."""
    try:
        value = read_exact(text.replace(",", ""))
    except ValueError:
        raise ValueError("is not a number in plain digits, at most 12 before and 6 after the point") from None
    if value < 0:
        raise ValueError("is less than nothing")
    return value


def read_price(text: str) -> Exact:
    """A price in major units."""
    value = read_number(text)
    if not value:
        raise ValueError("a price is more than nothing")
    return value


def read_rate(text: str) -> Exact:
    """A tax rate as a fraction: 0.13, or 13%."""
    if not text.endswith(("%", "％")):
        return read_number(text)
    return Exact((read_number(text[:-1].rstrip()) / Decimal(100)).normalize())


def read_instant(text: str) -> datetime:
    """A point in time with its offset, or a day, which lasts until its end in UTC."""
    plain = text.replace("/", "-").replace(".", "-") if len(text) <= len("2026-11-21") else text
    try:
        at = datetime.fromisoformat(plain)
    except ValueError:
        raise ValueError(
            "is neither a day (2026-11-21) nor a time with its offset (2026-11-21T18:00:00+08:00)"
        ) from None
    if len(plain) <= len("2026-11-21"):
        return datetime.combine(at.date(), _END_OF_DAY)
    if at.tzinfo is None:
        raise ValueError("is a time without its offset: write 2026-11-21T18:00:00+08:00")
    return at.astimezone(UTC)


def read_choice(words: Mapping[str, str]) -> Callable[[str], str]:
    """Reads one of some words, by what each stands for."""
    by_word = {fold_word(word): meant for word, meant in words.items()}

    def read(text: str) -> str:
        if (meant := by_word.get(fold_word(text))) is None:
            raise ValueError(f"is none of {', '.join(dict.fromkeys(by_word.values()))}")
        return meant

    return read


def _named(kind: Any, **words: str) -> dict[str, str]:
    return {**{code: code for code in get_args(kind)}, **words}


_UNITS = {**{code: code for code in UNITS}, **{unit.zh: code for code, unit in UNITS.items() if unit.zh}}
_BASES = _named(TaxBasis, 含税="tax_included", 不含税="tax_excluded", 未税="tax_excluded")
_MODES = _named(DeliveryMode, 自提="self_pickup", 送到="delivered", 配送="delivered")


def read_unit(text: str) -> str:
    """A unit by its Rec 20 code or its Chinese name."""
    if (code := _UNITS.get(text) or _UNITS.get(text.upper())) is None:
        raise ValueError("is no unit that the platform knows: write its code of UN/ECE Recommendation 20")
    return code


def read_currency(text: str) -> str:
    """A currency by its ISO 4217 code."""
    if (code := text.upper()) not in CURRENCY_EXPONENTS:
        raise ValueError(f"is none of {', '.join(CURRENCY_EXPONENTS)}")
    return code


def _field(name: str, zh: str, en: str, read: Callable[[str], Any], *headings: str, **more: Any) -> Field:
    return Field(name=name, label={"zh": zh, "en": en}, headings=(zh, en, *headings), read=read, **more)


FIELDS = [
    _field("number", "报价编号", "offer number", read_text(MAX_NUMBER), "编号", "挂牌编号", "报价号", "number", "offer no",
           kind="identifier", required=True, unique=True),
    _field("product", "产品编号", "product number", read_text(MAX_TEXT), "商品编号", "货号", "产品", "product", "product id",
           "sku", kind="identifier"),
    _field("buyer", "买方", "buyer", read_buyers, "客户", "购买方", "采购方", "customer", "audience", kind="identifier"),
    _field("price", "单价", "price", read_price, "价格", "报价", "unit price", kind="number"),
    _field("currency", "币种", "currency", read_currency, "货币", kind="word"),
    _field("unit", "计价单位", "unit", read_unit, "单位", "price unit", kind="word"),
    _field("tax_basis", "含税", "tax basis", read_choice(_BASES), "税基", "是否含税", "计税方式", kind="word"),
    _field("tax_rate", "税率", "tax rate", read_rate, kind="number"),
    _field("quantity", "数量", "quantity", read_number, "可售数量", "可供数量", "可供量", "left to sell", kind="number"),
    _field("minimum", "起订量", "minimum", read_number, "最小起订量", "最低数量", "moq", kind="number"),
    _field("step", "递增量", "step", read_number, "步长", "增量", kind="number"),
    _field("place", "交货地", "place", read_text(MAX_TEXT), "交货地点", "提货地", "delivery place"),
    _field("warehouse", "仓库", "warehouse", read_text(MAX_TEXT), "库房", "存放仓库", kind="identifier"),
    _field("delivery_mode", "交货方式", "delivery mode", read_choice(_MODES), "提货方式", kind="word"),
    _field("deliver_by", "交货期限", "deliver by", read_instant, "交货期", "最晚交货", "交货日期", kind="date"),
    _field("valid_until", "有效期至", "valid until", read_instant, "有效期", "报价有效期", kind="date"),
    _field("weighing_rule", "计重规则", "weighing rule", read_choice(_named(WeighingRule)), "计重方式", kind="word"),
]  # fmt: skip


def check_row(values: Values) -> Iterable[tuple[str, str]]:
    """What is wrong between the cells of a row, by the name of a field."""
    valid_until, deliver_by = values.get("valid_until"), values.get("deliver_by")
    if valid_until and deliver_by and deliver_by <= valid_until:
        yield "deliver_by", "delivery is due after the offer's validity"


def make_row(values: Values) -> PriceRow:
    """A row of cells that were read."""
    return PriceRow(**values)
