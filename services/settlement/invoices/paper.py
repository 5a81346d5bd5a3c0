"""The platform's invoice of a fee as a document, in Chinese and English."""

from __future__ import annotations

from chassis.paper import Table, Text, write_pdf
from chassis.wire import File
from services.settlement.invoices.model import Invoice
from services.settlement.statements.model import StatementLine
from services.settlement.statements.paper import percent

FOR_WHAT = {
    "delivery": "平台服务费（交货结算） Platform fee on the settlement of a delivery",
    "supplement": "平台服务费（补款） Platform fee on a supplementary payment",
    "default": "平台服务费（违约金） Platform fee on a forfeit",
}


def write_fee_invoice(invoice: Invoice, payer: str, line: StatementLine) -> File:
    """What was taken, of whom and why, with the tax that is included."""
    about = [
        ("发票号码 Number", str(invoice.number)),
        ("开具日期 Issued on", invoice.issued_on.isoformat() if invoice.issued_on else ""),
        ("付款方 Payer", f"{payer} ({invoice.payer_id})"),
        ("交易 Deal", invoice.deal_id),
        ("结算单行 Statement line", f"{line.statement_id} · {line.number}"),
    ]
    if line.delivery_id:
        about.append(("交货 Delivery", f"{line.delivery_id} ({line.stage})"))
    amounts = [str(invoice.amount(name)) for name in ("net", "tax", "gross")]
    figures = Table(
        ("项目 Item", "税率 Tax rate", "不含税 Net", "税额 Tax", "含税 Gross"),
        [(FOR_WHAT[line.kind], percent(invoice.tax_rate), *amounts)],
        (4, 1.2, 2, 2, 2),
        frozenset({1, 2, 3, 4}),
    )
    blocks = (
        Table(("", ""), about, (1, 3)),
        figures,
        Text("款项已从结算中扣除。 Already taken from what was settled."),
    )
    name, title = f"fee-{invoice.number}.pdf", "平台服务费发票 Platform fee invoice"
    return write_pdf(name, title, blocks, footer=f"{invoice.id} · {invoice.number}")
