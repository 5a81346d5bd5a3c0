"""The words in which an agreement says what a deal froze, in Chinese and English: they fill the clauses of its market."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal

from chassis.values import Quantity
from events.orders import Terms
from services.orders.deals.model import Deal, Trader

LANGUAGES = ("zh", "en")
_UNITS = {"TNE": ("吨", "t"), "KGM": ("千克", "kg"), "H87": ("件", "piece"), "MTR": ("米", "m"), "LTR": ("升", "l")}
_TERMS = {
    "tax_included": ("含税价", "tax included"),
    "tax_excluded": ("不含税价", "tax excluded"),
    "performance_bond": ("履约保证金", "performance bond"),
    "earnest": ("定金", "earnest money"),
    "counts": ("付款时抵作货款", "counts toward the price at payment"),
    "held": ("冻结至结算", "held until settlement"),
    "settlement": ("结算后释放", "at settlement"),
    "invoice": ("登记卖方发票后释放", "when the seller's tax invoice is recorded"),
    "self_pickup": ("买方自提", "picked up by the buyer"),
    "delivered": ("卖方送货", "delivered by the seller"),
    "LABEL": ("抄码（标签重量）", "label weight"),
    "THEORETICAL": ("理计（理论重量）", "theoretical weight"),
    "SELLER_WEIGHT": ("卖方磅单重量", "the seller's weight"),
    "BUYER_WEIGHT": ("买方磅单重量", "the buyer's weight"),
    "THIRD_PARTY": ("第三方磅单重量", "a third party's weight"),
    "WITHIN_TOL_SELLER_ELSE_BUYER": (
        "允差内以卖方磅单为准，超出以买方磅单为准",
        "the seller's weight within the tolerance, otherwise the buyer's",
    ),
    "EXCESS_ONLY": (
        "允差内以卖方磅单为准，超出部分调整",
        "the seller's weight, adjusted by what is beyond the tolerance",
    ),
}
_SPANS = ((86400, "天", "day"), (3600, "小时", "hour"), (60, "分钟", "minute"), (1, "秒", "second"))


def word(deal: Deal, *, goods: Mapping[str, str], warehouse: str, fee_rate: Decimal) -> dict[str, dict[str, str]]:
    """What stands for each placeholder of a clause, by language. ``goods`` says what is sold, by language."""
    return {
        language: _words(deal, place, goods[language], warehouse, fee_rate) for place, language in enumerate(LANGUAGES)
    }


def _words(deal: Deal, place: int, goods: str, warehouse: str, fee_rate: Decimal) -> dict[str, str]:
    terms, periods = deal.terms, deal.terms.periods
    said = {
        "buyer": deal.buyer.name,
        "seller": deal.seller.name,
        "buyer_code": _code(deal.buyer),
        "seller_code": _code(deal.seller),
        "offer": deal.offer_id,
        "deal": deal.id,
        "goods": goods,
        "quantity": write_quantity(deal.quantity)[place],
        "price": write_price(terms)[place],
        "tax_rate": _percent(terms.tax_rate),
        "net": str(deal.net),
        "tax": str(deal.tax),
        "gross": str(deal.gross),
        "buyer_deposit": str(deal.buyer_deposit),
        "seller_deposit": str(deal.seller_deposit),
        "tolerance": _per_mille(terms.tolerance),
        "dispute_limit": ("无", "none")[place] if terms.dispute_limit is None else _per_mille(terms.dispute_limit),
        "place": terms.place,
        "warehouse": warehouse,
        "deliver_by": f"{terms.deliver_by:%Y-%m-%d %H:%M} UTC",
        "penalty_rate": _percent(deal.penalty_rate),
        "fee_rate": _per_mille(fee_rate),
    }
    chosen = ("tax_basis", "deposit_kind", "deposit_use", "weighing_rule", "delivery_mode", "release")
    spans = ("pay", "inspect", "receive", "supplement")
    return {
        **said,
        **{name: _TERMS[getattr(terms, name)][place] for name in chosen},
        **{f"{name}_period": write_span(getattr(periods, name))[place] for name in spans},
    }


def write_goods(titles: Iterable[Mapping[str, str]], count: int) -> dict[str, str]:
    """What pieces are called, each title once, and how many there are."""
    kinds = list(titles)
    ends = {"zh": f"，共 {count} 件", "en": f", {count} in all"}
    return {
        language: "；".join(dict.fromkeys(kind.get(language, "") for kind in kinds)) + ends[language]
        for language in LANGUAGES
    }


def write_price(terms: Terms) -> tuple[str, str]:
    """A price in both languages, and what it was made of where that was an index."""
    price = f"{_plain(terms.price.value)} {terms.price.currency}/"
    zh, en = (price + unit for unit in unit_words(terms.price.unit))
    if (made := terms.formula) is None:
        return zh, en
    premium = f"{made.premium.normalize():+f}"
    of_zh = f"（指数 {made.index}，{made.day}，第 {made.revision} 版，升贴水 {premium}）"
    of_en = f" (index {made.index} of {made.day}, revision {made.revision}, premium {premium})"
    return zh + of_zh, en + of_en


def write_quantity(quantity: Quantity) -> tuple[str, str]:
    """A quantity in both languages."""
    zh, en = unit_words(quantity.unit)
    value = _plain(quantity.value)
    return f"{value} {zh}", f"{value} {en}"


def unit_words(unit: str) -> tuple[str, str]:
    """A unit of measure in both languages; its code where it has no words."""
    return _UNITS.get(unit, (unit, unit))


def write_span(span: timedelta) -> tuple[str, str]:
    """A duration in both languages, in days, hours, minutes and seconds."""
    left, zh, en = int(span.total_seconds()), "", []
    for seconds, in_zh, in_en in _SPANS:
        count, left = divmod(left, seconds)
        if count:
            zh += f"{count} {in_zh}"
            en.append(f"{count} {in_en}{'s' if count > 1 else ''}")
    return zh, " ".join(en)


def _code(trader: Trader) -> str:
    return ", ".join(f"{each.scheme.upper()} {each.value}" for each in trader.identifiers) or "—"


def _percent(fraction: Decimal) -> str:
    return f"{_plain(fraction * 100)} %"


def _per_mille(fraction: Decimal) -> str:
    return f"{_plain(fraction * 1000)} ‰"


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
