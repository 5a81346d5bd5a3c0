"""The settlement statement of a deal as a document, in Chinese and English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from chassis.paper import Block, Heading, Table, Text, write_pdf
from chassis.values import Money
from chassis.wire import File
from services.settlement.escrows.shares import Shares
from services.settlement.statements.model import LineKind, Statement, StatementLine, add_up, add_up_column

KINDS = {
    LineKind.DELIVERY: "交货 Delivery",
    LineKind.DEFAULT: "违约 Default",
    LineKind.CANCELLATION: "取消 Cancellation",
    LineKind.SUPPLEMENT: "补款 Supplement",
}
STAGES = {"whole": "全部 whole", "undisputed": "无争议部分 undisputed", "decided": "裁定部分 decided"}
SHARES = {
    "from_escrow": "托管款付卖方 Paid out of escrow",
    "from_deposit": "买方保证金付卖方 Paid out of the buyer's deposit",
    "from_supplement": "买方补款付卖方 Paid by supplement",
    "fee": "其中平台服务费 Platform fee on it",
    "shortfall": "未覆盖差额 Not covered",
    "returned": "托管款退买方 Returned to the buyer",
    "buyer_released": "买方保证金解冻 Buyer's deposit released",
    "seller_released": "卖方保证金解冻 Seller's deposit released",
    "buyer_forfeited": "买方保证金没收 Buyer's deposit forfeited",
    "seller_forfeited": "卖方保证金没收 Seller's deposit forfeited",
    "forfeit_fee": "没收款服务费 Platform fee on the forfeit",
}
AMOUNTS = {"net": "不含税 Net", "tax": "税额 Tax", "gross": "含税 Gross"}
HEAD = ("项目 Item", "内容 Content")
WIDTHS = (2, 3)


def write_statement(statement: Statement, lines: Sequence[StatementLine], names: Mapping[str, str]) -> File:
    """Both sides, each line with its weights, rule, reason and money, and the sums; equal to the ledger to the cent."""
    return write_pdf(
        f"statement-{statement.deal_id}.pdf",
        "结算单 Settlement statement",
        _blocks(statement, lines, names),
        footer=f"{statement.id} · {statement.deal_id}",
    )


def _blocks(statement: Statement, lines: Sequence[StatementLine], names: Mapping[str, str]) -> Iterator[Block]:
    sides = [
        ("交易 Deal", statement.deal_id),
        ("买方 Buyer", f"{names[statement.buyer_id]} ({statement.buyer_id})"),
        ("卖方 Seller", f"{names[statement.seller_id]} ({statement.seller_id})"),
        ("币种 Currency", statement.currency),
    ]
    yield Table(HEAD, sides, WIDTHS)
    for line in lines:
        yield Heading(f"{line.number}. {KINDS[LineKind(line.kind)]}")
        yield Table(HEAD, _say_line(line), WIDTHS)
    yield Heading("合计 Totals")
    sums = [(word, str(add_up_column(lines, name, statement.currency))) for name, word in AMOUNTS.items()]
    yield Table(HEAD, [*sums, *_say_shares(add_up(lines, statement.currency))], WIDTHS)
    yield Text("每行金额与账本分录一致。 Each line equals the postings of its journal.")


def _say_line(line: StatementLine) -> list[tuple[str, str]]:
    said = [("时间 Time", f"{line.created_at:%Y-%m-%d %H:%M:%S}Z")]
    if line.kind == LineKind.DELIVERY:
        said += _say_delivery(line)
    elif line.supplement_id is not None:
        said.append(("交货 Delivery", f"{line.delivery_id} · {STAGES[line.stage]}"))
    elif line.part_id is not None:
        pieces = ", ".join(line.piece_ids or ())
        said.append(("部分 Part", f"{line.quantity} {pieces}".strip()))
    if line.reason:
        said.append(("原因 Reason", line.reason))
    if line.value is not None:
        said.append(("占交易价款 Share of the deal's gross", str(Money(line.value, line.currency))))
    return [*said, *_say_shares(line.shares), ("凭证 Journal", line.journal_id or "—")]


def _say_delivery(line: StatementLine) -> list[tuple[str, str]]:
    weights = {
        "装货重量 Loaded": line.loaded,
        "收货重量 Received": line.received,
        "第三方重量 Third party": line.third_party,
        "结算重量 Settled": line.settled,
    }
    price = f"{line.price.value:f} {line.price.currency} / {line.price.unit}" if line.price else ""
    return [
        ("交货 Delivery", f"{line.delivery_id} · {STAGES[line.stage]}"),
        *((name, str(weight)) for name, weight in weights.items() if weight is not None),
        ("计量规则 Weighing rule", line.rule or "—"),
        ("单价 Price", price),
        ("税率 Tax rate", percent(line.tax_rate or Decimal(0))),
        *((word, str(Money(getattr(line, name), line.currency))) for name, word in AMOUNTS.items()),
    ]


def percent(rate: Decimal) -> str:
    """A fraction as per cent."""
    return f"{(rate * 100).normalize():f} %"


def _say_shares(shares: Shares) -> list[tuple[str, str]]:
    moved = {word: getattr(shares, name) for name, word in SHARES.items()}
    return [(word, str(amount)) for word, amount in moved.items() if amount]
