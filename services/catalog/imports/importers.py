"""The kinds of files that the catalog takes in, and how their mistakes are told in Chinese."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.uploads.fields import Importer, Options
from chassis.uploads.reasons import Words
from services.catalog.imports import piece_rows, product_rows
from services.catalog.markets.queries import pack_of
from services.catalog.products.commands import REFUSALS_ZH

PIECES_ZH = {
    "is less than the net weight": "小于净重",
    "the tag is on another piece already": "该标签已绑定在另一件上",
    "the piece was sold: its data no longer change": "该件已售出：资料不再变更",
    "the piece is in the market {market}": "该件属于市场 {market}",
    "the piece is offered or in a deal: its data cannot change now": "该件已挂牌或在成交中：资料暂不能变更",
    "the warehouse has seen to the tag of this piece: only it can change it": "该件标签由仓库处理过：只有仓库可以更改",
    piece_rows.UNKNOWN_COMPANY: "没有此名称、证号或编号的公司（新公司需稍候）",
    "is the name of several companies: write one of {ids}": "有多家公司同名：请填写其中一个编号 {ids}",
    piece_rows.UNKNOWN_PRODUCT: "贵公司没有此编号的产品",
    "is not 24 hexadecimal digits (96 bits)": "不是 24 位十六进制数（96 位标签）",
    "is the serial number of the chip (TID), not the EPC written on the tag": "是芯片序列号（TID），不是写入标签的 EPC",
    "is not laid out as an EPC (GS1 Tag Data Standard)": "不符合 EPC 编码结构（GS1 标签数据标准）",
}
_PIECES, _PRODUCTS = Words(templates=PIECES_ZH), Words(templates=REFUSALS_ZH)


def words_of_pieces(_session: Session, _options: Options) -> Words:
    """How what is wrong with pieces is told in Chinese."""
    return _PIECES


def words_of_products(_session: Session, _options: Options) -> Words:
    """How what is wrong with products is told in Chinese."""
    return _PRODUCTS


PIECES = Importer(
    kind="pieces",
    role="seller",
    fields=lambda session, caller, options: piece_rows.list_fields(pack_of(session, options.market)),
    open=lambda session, caller, options: piece_rows.PieceRows(pack_of(session, options.market), caller),
    totals=lambda session, options: piece_rows.words_of_totals(pack_of(session, options.market)),
    words=words_of_pieces,
)
PRODUCTS = Importer(
    kind="products",
    role="seller",
    fields=lambda session, caller, options: product_rows.list_fields(pack_of(session, options.market)),
    open=lambda session, caller, options: product_rows.ProductRows(pack_of(session, options.market), caller),
    words=words_of_products,
)
IMPORTERS = {importer.kind: importer for importer in (PIECES, PRODUCTS)}
