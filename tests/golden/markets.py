"""The markets of the fixed catalog: like the packs of the platform, but standing still, so that expected hits do."""

from __future__ import annotations

from typing import Any

import msgspec

from services.catalog.markets.attributes import Attribute, Choice
from services.catalog.markets.loader import FOLDER, load_pack
from services.catalog.markets.pack import Pack
from services.catalog.markets.words import Bilingual


def both(zh: str, en: str) -> Bilingual:
    return Bilingual(zh, en)


def attribute(name: str, type: str, zh: str, en: str, **more: Any) -> Attribute:
    more.setdefault("filter", name.removesuffix("_mm"))
    return Attribute(name=name, type=type, label=both(zh, en), headings=[], required=False, **more)  # type: ignore[arg-type]


def choice(code: str, zh: str, en: str, *also: str) -> Choice:
    return Choice(code=code, name=both(zh, en), also=list(also))


KINDS = [
    choice("hot_rolled_coil", "热轧卷板", "Hot rolled coil", "热卷", "HRC"),
    choice("cold_rolled_coil", "冷轧卷板", "Cold rolled coil", "冷卷", "CRC"),
    choice("galvanized_coil", "镀锌卷板", "Hot-dip galvanized coil", "镀锌卷", "HDG"),
    choice("heavy_plate", "中厚板", "Heavy plate", "厚板"),
    choice("rebar", "螺纹钢", "Rebar", "钢筋", "deformed bar"),
    choice("stainless_coil", "不锈钢卷板", "Stainless steel coil", "不锈卷"),
    choice("h_section", "H型钢", "H section", "H beam"),
]
STEEL: dict[str, Any] = {
    "attributes": [
        attribute("kind", "choice", "品名", "Kind", choices="kinds"),
        attribute("grade", "text", "牌号", "Grade"),
        attribute("finish", "text", "表面", "Finish"),
        attribute("thickness_mm", "number", "厚度", "Thickness", unit="MMT"),
        attribute("width_mm", "number", "宽度", "Width", unit="MMT"),
        attribute("diameter_mm", "number", "直径", "Diameter", unit="MMT"),
        attribute("coating", "text", "镀层", "Coating"),
        attribute("heat_no", "identifier", "炉号", "Heat", level="lot", filter=None),
    ],
    "choices": {"kinds": KINDS},
    "synonyms": [
        ["盘螺", "rebar in coil"],
        ["镀锌", "galvanized", "galvanised", "zinc coated"],
        ["开平板", "cut to length"],
    ],
}
CHEMICALS: dict[str, Any] = {
    "attributes": [
        attribute("substance", "choice", "品名", "Substance", choices="substances"),
        attribute("cas", "identifier", "CAS号", "CAS number"),
        attribute("purity", "number", "纯度", "Purity", unit="P1"),
        attribute("packing", "choice", "包装", "Packing", choices="packings"),
    ],
    "choices": {
        "substances": [
            choice("methanol", "甲醇", "Methanol", "木精", "methyl alcohol"),
            choice("caustic_soda", "烧碱", "Caustic soda", "氢氧化钠", "sodium hydroxide", "NaOH"),
            choice("toluene", "甲苯", "Toluene"),
            choice("sulphuric_acid", "硫酸", "Sulphuric acid", "sulfuric acid", "H2SO4"),
        ],
        "packings": [choice("drum", "桶装", "Drum"), choice("bulk", "散装", "Bulk"), choice("bag", "袋装", "Bag")],
    },
    "synonyms": [],
}
AUTOS: dict[str, Any] = {
    "attributes": [
        attribute("maker", "choice", "品牌", "Make", choices="makers"),
        attribute("model", "text", "车型", "Model"),
        attribute("mileage_km", "number", "里程", "Mileage", unit="KMT", filter="mileage"),
        attribute("registered", "date", "上牌日期", "First registration"),
        attribute("fuel", "choice", "燃料", "Fuel", choices="fuels"),
        attribute("vin", "identifier", "车架号", "VIN", level="piece", filter=None),
    ],
    "choices": {
        "makers": [choice("byd", "比亚迪", "BYD"), choice("volkswagen", "大众", "Volkswagen", "VW")],
        "fuels": [choice("electric", "纯电", "Electric", "BEV"), choice("petrol", "汽油", "Petrol", "gasoline")],
    },
    "synonyms": [["二手车", "used car", "pre-owned"]],
}
FARMING: dict[str, Any] = {
    "attributes": [
        attribute("crop", "choice", "品种", "Crop", choices="crops"),
        attribute("moisture", "number", "水分", "Moisture", unit="P1"),
        attribute("harvested", "date", "收获日期", "Harvested"),
        attribute("tags", "text", "特点", "Traits", many=True),
    ],
    "choices": {
        "crops": [
            choice("corn", "玉米", "Corn", "maize", "苞米"),
            choice("soybean", "大豆", "Soybean", "黄豆", "soya"),
            choice("apple", "苹果", "Apple"),
        ]
    },
    "synonyms": [],
}
PHARMA: dict[str, Any] = {
    "attributes": [
        attribute("name", "text", "通用名", "Generic name"),
        attribute("form", "choice", "剂型", "Form", choices="forms"),
        attribute("approval", "identifier", "批准文号", "Approval number"),
        attribute("strength", "text", "规格", "Strength"),
    ],
    "choices": {"forms": [choice("tablet", "片剂", "Tablet"), choice("capsule", "胶囊", "Capsule")]},
    "synonyms": [["阿司匹林", "aspirin", "acetylsalicylic acid"]],
}
TRAVEL: dict[str, Any] = {
    "attributes": [
        attribute("place_kind", "choice", "类型", "Kind", choices="kinds"),
        attribute("stars", "number", "星级", "Stars"),
    ],
    "choices": {"kinds": [choice("hotel", "酒店", "Hotel", "宾馆"), choice("ticket", "门票", "Ticket", "admission")]},
    "synonyms": [],
}
NAMES = {
    "steel": ("钢铁", "Steel", STEEL),
    "chemicals": ("化工", "Chemicals", CHEMICALS),
    "autos": ("汽车", "Autos", AUTOS),
    "farming": ("农业", "Farming", FARMING),
    "pharma": ("医药", "Pharma", PHARMA),
    "travel": ("旅游", "Travel", TRAVEL),
}


def make_packs() -> dict[str, Pack]:
    """The markets by name, on the terms of a pack of the platform."""
    some = load_pack(FOLDER / "steel.toml")
    empty: dict[str, Any] = {"types": [], "certificate": None, "licences": [], "documents": [], "carriage": []}
    return {
        market: msgspec.structs.replace(some, market=market, name=both(zh, en), **{**empty, **content})
        for market, (zh, en, content) in NAMES.items()
    }
