"""An agreement as a document for people, in Chinese and English, made of the very text that both sides sign."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from chassis.paper import Block, Heading, Table, Text, write_pdf
from chassis.values import Money
from chassis.wire import File
from services.orders.contracts.model import Agreement

_LANGUAGES = ("zh", "en")
_SIDES = {"seller": "卖方 Seller", "buyer": "买方 Buyer"}
_AMOUNTS = {
    "net": "不含税金额 Net",
    "tax": "税额 Tax",
    "gross": "价税合计 Gross",
    "buyer_deposit": "买方保证金 Buyer's deposit",
    "seller_deposit": "卖方保证金 Seller's deposit",
}
_STATES = {
    "drawn": "待签署 To be signed",
    "partly_signed": "一方已签署 Signed by one side",
    "signed": "双方已签署 Signed by both sides",
    "void": "已失效 Void",
}


def write_document(agreement: Agreement) -> File:
    """The agreement as a PDF: parties, goods, amounts, clauses, signatures, and the SHA-256 of what is signed.

    It is made of the agreement's text and its signatures alone: while they do not change, neither does a byte of it.
    """
    said = msgspec.json.decode(agreement.body)
    blocks = [
        Text(_STATES[agreement.state]),
        Text(f"挂牌 Offer {said['offer_id']} · 订立 Struck {_at(datetime.fromisoformat(said['struck_at']))}"),
        *_parties(said),
        *_goods(said),
        *_amounts(said),
        *_clauses(said.get("clauses", ())),
        *_signatures(agreement),
    ]
    title = f"买卖合同 Sales agreement {agreement.id}"
    return write_pdf(f"agreement-{agreement.id}.pdf", title, blocks, footer=f"SHA-256 {agreement.sha256}")


def _parties(said: dict[str, Any]) -> Iterable[Block]:
    rows = [(label, said[side]["name"], said[side]["country"], _codes(said[side])) for side, label in _SIDES.items()]
    yield Heading("合同双方 Parties")
    yield Table(("", "名称 Name", "国家 Country", "登记号 Registration"), rows, (2, 5, 2, 5))


def _codes(trader: dict[str, Any]) -> str:
    return ", ".join(f"{each['scheme'].upper()} {each['value']}" for each in trader["identifiers"]) or "—"


def _goods(said: dict[str, Any]) -> Iterable[Block]:
    yield Heading("货物 Goods")
    if not said["pieces"]:
        yield Text(f"{said.get('title') or '—'} · {_quantity(said['quantity'])}")
        return
    known = {each["piece_id"]: each for each in said.get("goods", ())}
    rows = [
        (
            str(place),
            piece["number"],
            _describe(known.get(piece["piece_id"])),
            _quantity(piece["net"]),
            _money(piece["gross"]),
        )
        for place, piece in enumerate(said["pieces"], 1)
    ]
    rows.append(("", "合计 Total", "", _quantity(said["quantity"]), _money(said["gross"])))
    head = ("", "件号 Number", "品名与规格 Description", "重量 Weight", "价税合计 Gross")
    yield Table(head, rows, (1, 4, 8, 3, 4), frozenset({3, 4}))


def _describe(goods: dict[str, Any] | None) -> str:
    if goods is None:
        return "—"
    names = " · ".join(dict.fromkeys(goods["title"][language] for language in sorted(goods["title"], reverse=True)))
    facts = "; ".join(f"{name} {value}" for name, value in sorted(goods["attributes"].items()))
    return f"{names} ({facts})" if facts else names


def _amounts(said: dict[str, Any]) -> Iterable[Block]:
    yield Heading("金额 Amounts")
    rows = [(label, _money(said[name])) for name, label in _AMOUNTS.items()]
    yield Table(("", ""), rows, (6, 4), frozenset({1}))


def _clauses(clauses: Iterable[dict[str, Any]]) -> Iterable[Block]:
    for place, clause in enumerate(clauses, 1):
        yield Heading(f"{place}. {' '.join(clause['heading'][language] for language in _LANGUAGES)}")
        yield from (Text(clause["text"][language]) for language in _LANGUAGES)


def _signatures(agreement: Agreement) -> Iterable[Block]:
    yield Heading("签署 Signatures")
    rows = [
        (label, getattr(agreement, f"{side}_signed_by") or "—", _at(getattr(agreement, f"{side}_signed_at")))
        for side, label in _SIDES.items()
    ]
    yield Table(("", "签署人 Signed by", "时间 At"), rows, (2, 5, 4))
    yield Text(f"所签文本的 SHA-256 of the text that is signed: {agreement.sha256}")


def _quantity(said: dict[str, str]) -> str:
    return f"{said['value']} {said['unit']}"


def _money(said: dict[str, Any] | None) -> str:
    return str(Money(**said)) if said else "—"


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "—"
