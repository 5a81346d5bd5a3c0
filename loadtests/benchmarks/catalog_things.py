"""Makes offers by the hundred thousand, the same each time: what a catalog of all markets is filled with for measuring."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from chassis.values import Exact, Quantity, UnitPrice
from services.catalog.markets.attributes import Attribute
from services.catalog.markets.loader import load_packs
from services.catalog.markets.pack import Pack
from services.catalog.parties.queries import Name
from services.catalog.search.documents import Around, Thing, make_document
from services.catalog.search.engine import Document, Key
from services.catalog.search.keys import price_keys, rank_of

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SELLERS = 2_000
SEED = 20_260_302
MAIN_MARKET_SHARE = 0.5
"""Half of all offers are of one market, so that the widest question finds half a million of a million."""
DIRECTED_SHARE = 0.02
_PLACES = (
    "天津",
    "唐山",
    "上海",
    "无锡",
    "广州",
    "武汉",
    "青岛",
    "宁波",
    "大连",
    "重庆",
    "成都",
    "北京",
    "杭州",
    "Hamburg",
    "Rotterdam",
)
_TOWNS = ("天津", "河北", "山东", "江苏", "广东", "上海", "浙江", "湖北")
_TRADES = ("第一钢厂", "物资有限公司", "贸易集团", "实业", "供应链管理有限公司", "Steel Trading", "Commodities Ltd")
_GRADES = tuple(f"Q{strength}{quality}" for strength in (235, 275, 345, 355, 390, 420, 460) for quality in "ABCDE")
_SIZES = {
    "thickness": ("1", "2", "2.75", "3", "4", "5.5", "6", "8", "10", "12", "16", "20", "30"),
    "width": ("1000", "1250", "1500", "1800", "2000"),
}


class Goods:
    """Draws offers from the packs."""

    def __init__(self, seed: int = SEED) -> None:
        self._random = random.Random(seed)
        self.packs = load_packs()
        self._markets = sorted(self.packs, key=lambda market: market != "steel")
        self.around = Around(
            names={id: Name(id, 1, self._company(), True) for id in map(seller_id, range(SELLERS))}, packs=self.packs
        )

    def _company(self) -> str:
        return f"{self._random.choice(_TOWNS)}{self._random.choice(_TRADES)}{self._random.randrange(1000)}"

    def offers(self, begin: int, end: int, *, version: int = 1) -> Iterator[Document]:
        """Documents of offers by number."""
        return (make_document(self._offer(number, version), self.around).document for number in range(begin, end))

    def _offer(self, number: int, version: int) -> Thing:
        draw = self._random
        market = self._markets[0] if draw.random() < MAIN_MARKET_SHARE else draw.choice(self._markets)
        pack = self.packs[market]
        attributes = self._attributes(pack)
        title = pack.title_of(attributes)
        unit = pack.terms.price_unit.default
        directed = [seller_id(draw.randrange(SELLERS))] if draw.random() < DIRECTED_SHARE else None
        return Thing(
            kind="offer",
            id=f"offer_{number:026d}",
            version=version,
            market=market,
            owner_id=seller_id(draw.randrange(SELLERS)),
            state="listed",
            title=title["zh"],
            other_titles=[title["en"]],
            answers=["take"],
            pieces=[attributes],
            numbers=[f"C{number:08d}"],
            audience=directed,
            price=UnitPrice(Exact(draw.randrange(2_000, 20_000)), pack.terms.currency.default, unit),
            tax_basis="tax_included",
            tax_rate=pack.terms.default_tax_rate,
            remaining=Quantity(Exact(draw.randrange(1, 500)), unit),
            terms_version=1,
            free_pieces=1,
            place=draw.choice(_PLACES),
            delivery_mode=draw.choice(pack.terms.delivery_mode.allowed),
            warehouse_id=seller_id(draw.randrange(50)),
            deliver_by=NOW + timedelta(days=draw.randrange(1, 60)),
            valid_until=NOW + timedelta(days=draw.randrange(1, 30)),
        )

    def _attributes(self, pack: Pack) -> dict[str, str]:
        """What goods of one of the market's types have."""
        type = self._random.choice(pack.types) if pack.types else None
        names = {each.name for each in pack.attributes if each.required}
        names |= {*type.requires, *type.has} if type else {each.name for each in pack.attributes}
        told = (each for each in pack.attributes if each.name in names and each.type != "identifier")
        drawn = {each.name: self._value(pack, each) for each in told}
        return drawn | ({type.attribute: self._random.choice(type.codes)} if type else {})

    def _value(self, pack: Pack, attribute: Attribute) -> str:
        draw = self._random
        if attribute.type == "choice":
            return draw.choice(pack.choices[attribute.choices or ""]).code
        if attribute.type == "number":
            least, most = max(attribute.least, Decimal(0)), min(attribute.most, attribute.least + 1_000)
            return draw.choice(_SIZES.get(attribute.filter or "", ())) if attribute.filter in _SIZES else format(
                least + (most - least) * draw.randrange(50) // 50, "f")  # fmt: skip
        if attribute.type == "date":
            return (NOW + timedelta(days=draw.randrange(-900, 900))).date().isoformat()
        return (
            draw.choice(_GRADES) if attribute.filter == "grade" else draw.choice(attribute.examples or ["A", "B", "C"])
        )


def seller_id(number: int) -> str:
    """The id of a seller by its number."""
    return f"party_{number:026d}"


def repeat(templates: Sequence[Document], count: int, *, version: int = 1) -> Iterator[Document]:
    """Documents that come again under other ids, prices and numbers; the same ones for the same count."""
    for number in range(count):
        template = templates[number % len(templates)]
        id = f"offer_{number * 2_654_435_761 % 2**32:010d}{number:016d}"
        price = UnitPrice(Exact(2_000 + number * 7_919 % 18_000), "CNY", "TNE")
        keys = {**template.keys, Key.NEWEST: rank_of(id), **price_keys(id, price, "tax_included", Exact("0.13"))}
        words = template.words | {f"c{number:08d}"}
        yield replace(template, thing_id=id, version=version, words=words, keys=keys)
