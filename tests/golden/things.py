"""The things of the fixed catalog, each with a number that expected hits name."""

# ruff: noqa: E501 - tables are read by their columns

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.values import Exact, Quantity, UnitPrice
from events.catalog import LicenceNeeded
from services.catalog.parties.queries import Name
from services.catalog.search.documents import Around, Made, Thing, make_document
from tests.golden.markets import make_packs

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
MILL, TRADER, CHEM, DEALER, FARM, PILLS, INN, YARD, PORT, BUYER, RIVAL = (
    f"party_{name}"
    for name in ["mill", "trader", "chem", "dealer", "farm", "pills", "inn", "yard", "port", "buyer", "rival"]
)
COMPANIES = {
    MILL: "天津第一钢厂",
    TRADER: "Other Steel GmbH",
    CHEM: "山东海化集团",
    DEALER: "广州名车行",
    FARM: "黑龙江北大荒农场",
    PILLS: "Shanghai Pharma Wholesale",
    INN: "杭州西湖宾馆",
    YARD: "无锡三号库",
    PORT: "滨海仓库",
    BUYER: "买方有限公司",
    RIVAL: "Rival Trading",
}
RATINGS = {MILL: 97, TRADER: 88, CHEM: 95, FARM: 70}
NEEDS_CHEMICALS = LicenceNeeded(scheme="hazardous_chemicals", held_by=["seller", "buyer"], scope=["8"], hides=True)
NEEDS_DRUGS = LicenceNeeded(scheme="gsp", held_by=["buyer"], hides=False)


def steel(kind: str, grade: str, **more: str) -> dict[str, str]:
    return {"kind": kind, "grade": grade, "heat_no": "SECRETHEAT", **more}


def coil(kind: str, grade: str, thickness: str, width: str, **more: str) -> dict[str, str]:
    return steel(f"{kind}_coil", grade, thickness_mm=thickness, width_mm=width, **more)


HRC, CRC, HDG = "hot_rolled", "cold_rolled", "galvanized"
TANGSHAN, SHANGHAI, GUANGZHOU, WUXI = ({"place": place} for place in ("唐山", "上海", "广州", "无锡"))
# number, kind, market, owner, title, price in CNY, the rest
ROWS: list[tuple[int, str, str, str, str, str | None, dict[str, Any]]] = [
    (1, "offer", "steel", MILL, "热轧卷板 Q235B 5.5*1250*C", "3850", {"pieces": [coil(HRC, "Q235B", "5.5", "1250")], "numbers": ["C-2306-0123A"]}),
    (2, "offer", "steel", TRADER, "热轧卷板 Q355B 5.5*1500*C", "4010", {"pieces": [coil(HRC, "Q355B", "5.5", "1500")], **TANGSHAN}),
    (3, "offer", "steel", MILL, "热轧卷板 SPHC 2.75*1250*C", "3900", {"pieces": [coil(HRC, "SPHC", "2.75", "1250")]}),
    (4, "offer", "steel", MILL, "冷轧卷板 SPCC-SD 1.0*1250*C", "4600", {"pieces": [coil(CRC, "SPCC", "1", "1250")], **SHANGHAI}),
    (5, "offer", "steel", MILL, "冷轧卷板 DC01 0.8*1000*C", "4100", {"pieces": [coil(CRC, "DC01", "0.8", "1000")], "basis": "tax_excluded", **SHANGHAI}),
    (6, "offer", "steel", MILL, "镀锌卷板 DX51D+Z275 1.2*1250*C", "5100", {"pieces": [coil(HDG, "DX51D", "1.2", "1250", coating="Z275")], **GUANGZHOU}),
    (7, "offer", "steel", MILL, "两卷混装 热轧", "3850", {"pieces": [coil(HRC, "Q235B", "3", "1250"), coil(HRC, "SPHC", "5.5", "1250")]}),
    (8, "offer", "steel", MILL, "中厚板 Q355B 20*2000*8000", "3990", {"pieces": [steel("heavy_plate", "Q355B", thickness_mm="20", width_mm="2000")], "warehouse": YARD, **WUXI}),
    (9, "offer", "steel", TRADER, "Heavy plate S355J2+N 30 mm", "5600", {"pieces": [steel("heavy_plate", "S355J2+N", thickness_mm="30", width_mm="2500")], "place": "Rotterdam"}),
    (10, "offer", "steel", MILL, "不锈钢卷板 304L 2B 2.0*1219*C", "14200", {"pieces": [coil("stainless", "304L", "2", "1219", finish="2B")], "warehouse": YARD, **WUXI}),
    (11, "offer", "steel", TRADER, "Stainless coil 316L BA 0.5mm", "22000", {"pieces": [coil("stainless", "316L", "0.5", "1000", finish="BA")], **WUXI}),
    (12, "offer", "steel", MILL, "螺纹钢 HRB400E Φ20 按吨", "3300", {**TANGSHAN}),
    (13, "offer", "steel", TRADER, "Rebar B500B 16mm by weight", "3400", {"place": "天津港"}),
    (14, "offer", "steel", MILL, "H型钢 Q235B 300*300", "3700", {"pieces": [steel("h_section", "Q235B")], **TANGSHAN}),
    (15, "offer", "steel", MILL, "热轧板、冷轧卷 整批", "3700", {"place": "天津港"}),
    (16, "offer", "steel", MILL, "Ｑ２３５Ｂ　开平板", "3950", {}),
    (17, "offer", "steel", MILL, "盘螺 HRB400E 8mm", "3450", {**SHANGHAI}),
    (18, "offer", "steel", MILL, "热轧卷板 Q235B 合同价", "3600", {"pieces": [coil(HRC, "Q235B", "5.5", "1250")], "audience": [BUYER]}),
    (19, "offer", "steel", MILL, "热轧卷板 Q235B 过期", "3000", {"valid_days": 0}),
    (20, "offer", "chemicals", CHEM, "甲醇 99.9% 桶装", "2500", {"pieces": [{"substance": "methanol", "cas": "67-56-1", "purity": "99.9", "packing": "drum"}], "place": "青岛"}),
    (21, "offer", "chemicals", CHEM, "烧碱 片碱 99% 袋装", "3100", {"pieces": [{"substance": "caustic_soda", "cas": "1310-73-2", "purity": "99", "packing": "bag"}], "place": "青岛", "licences": [NEEDS_CHEMICALS]}),
    (22, "offer", "chemicals", CHEM, "Toluene bulk 99.5%", "6800", {"pieces": [{"substance": "toluene", "cas": "108-88-3", "purity": "99.5", "packing": "bulk"}], "place": "宁波"}),
    (23, "product", "chemicals", CHEM, "硫酸 98% 工业级", None, {"pieces": [{"substance": "sulphuric_acid", "cas": "7664-93-9", "purity": "98", "packing": "bulk"}], "licences": [NEEDS_CHEMICALS]}),
    (24, "offer", "autos", DEALER, "比亚迪 海豹 2024款 二手车", "150000", {"pieces": [{"maker": "byd", "model": "海豹 Seal", "mileage_km": "12000", "registered": "2024-05-01", "fuel": "electric", "vin": "LGXC16DF4A0169664"}], "unit": "H87", **GUANGZHOU}),
    (25, "offer", "autos", DEALER, "大众 帕萨特 2.0T", "98000", {"pieces": [{"maker": "volkswagen", "model": "帕萨特 Passat", "mileage_km": "86000", "registered": "2019-11-20", "fuel": "petrol"}], "unit": "H87", **GUANGZHOU}),
    (26, "offer", "farming", FARM, "玉米 二等 水分14%", "2300", {"pieces": [{"crop": "corn", "moisture": "14", "harvested": "2025-10-10", "tags": "非转基因;国标二等"}], "place": "哈尔滨"}),
    (27, "offer", "farming", FARM, "大豆 高蛋白 非转基因", "4800", {"pieces": [{"crop": "soybean", "moisture": "12.5", "harvested": "2025-10-01", "tags": "高蛋白;非转基因"}], "place": "大连"}),
    (28, "offer", "farming", FARM, "Fresh Fuji apples", "6000", {"pieces": [{"crop": "apple", "tags": "红富士"}], "place": "青岛"}),
    (29, "offer", "pharma", PILLS, "阿司匹林肠溶片 100mg*30片", "12", {"pieces": [{"name": "阿司匹林", "form": "tablet", "approval": "国药准字H20065051", "strength": "100mg"}], "unit": "H87", "licences": [NEEDS_DRUGS], **SHANGHAI}),
    (30, "offer", "pharma", PILLS, "阿莫西林胶囊 0.25g*24粒", "9", {"pieces": [{"name": "阿莫西林", "form": "capsule", "approval": "国药准字H44021518", "strength": "0.25g"}], "unit": "H87", "licences": [NEEDS_DRUGS], **SHANGHAI}),
    (31, "booking", "travel", INN, "西湖宾馆 豪华湖景房", "880", {"pieces": [{"place_kind": "hotel", "stars": "5"}], "unit": "DAY", "answers": ["book"], "place": "杭州"}),
    (32, "booking", "travel", INN, "灵隐寺门票 成人", "45", {"pieces": [{"place_kind": "ticket"}], "unit": "H87", "answers": ["book"], "place": "杭州"}),
    (33, "inquiry", "steel", BUYER, "求购 螺纹钢 HRB400E Φ25 500吨", None, {"pieces": [steel("rebar", "HRB400E", diameter_mm="25")], "answers": ["quote"], "place": "北京"}),
    (34, "tender", "steel", BUYER, "中厚板 年度招标 Q345R", None, {"pieces": [steel("heavy_plate", "Q345R", thickness_mm="16")], "answers": ["tender"], "place": "武汉"}),
    (35, "auction", "autos", DEALER, "拍卖 VW Golf used car", "50000", {"pieces": [{"maker": "volkswagen", "model": "Golf", "mileage_km": "45000", "registered": "2021-06-15", "fuel": "petrol"}], "unit": "H87", "answers": ["bid"], **SHANGHAI}),
    (36, "capacity", "steel", PORT, "天津到上海 海运舱位 5000吨", None, {"pieces": [{}], "answers": ["quote"], "place": "天津"}),
    (37, "inquiry", "steel", RIVAL, "求购 镀锌卷 保密", None, {"pieces": [steel("galvanized_coil", "DX51D")], "answers": ["quote"], "audience": [MILL], **GUANGZHOU}),
    (38, "product", "steel", MILL, "热轧卷板 Q235B 标准品", None, {"pieces": [coil(HRC, "Q235B", "5.5", "1250")], "numbers": ["HR-Q235B-55"]}),
    (39, "offer", "steel", TRADER, "Hot rolled coil S275JR 4.0x1500", "620", {"pieces": [coil(HRC, "S275JR", "4", "1500")], "currency": "EUR", "place": "Hamburg"}),
    (40, "offer", "steel", MILL, "取向硅钢 0.27*1000 B27R090", "16000", {"place": "武汉"}),
]  # fmt: skip


def thing_id(number: int) -> str:
    return f"thing_{number:026d}"


def make_thing(
    number: int, kind: str, market: str, owner: str, title: str, price: str | None, more: dict[str, Any]
) -> Thing:
    is_offer = kind == "offer"
    unit = more.get("unit", "TNE")
    return Thing(
        kind=kind,
        id=thing_id(number),
        version=more.get("version", 1),
        market=market,
        owner_id=owner,
        state="listed" if is_offer else "published" if kind == "product" else "open",
        title=title,
        answers=more.get("answers", ["take"] if is_offer else []),
        pieces=more.get("pieces", []),
        licences=more.get("licences", []),
        numbers=more.get("numbers", []),
        audience=more.get("audience"),
        price=UnitPrice(Exact(price), more.get("currency", "CNY"), unit) if price else None,
        tax_basis=more.get("basis", "tax_included") if price else None,
        tax_rate=Exact("0.13") if price else None,
        remaining=Quantity(Exact(20), unit) if is_offer else None,
        terms_version=1 if is_offer else None,
        free_pieces=len(more.get("pieces", [])) if is_offer else 0,
        place=more.get("place", "天津") if kind != "product" else "",
        delivery_mode=more.get("mode", "self_pickup") if is_offer else None,
        warehouse_id=more.get("warehouse", PORT) if is_offer else None,
        deliver_by=NOW + timedelta(days=number) if is_offer else None,
        valid_until=NOW + timedelta(days=more.get("valid_days", 5)) if kind != "product" else None,
    )


def make_catalog() -> list[Made]:
    """The documents of all things."""
    names = {id: Name(id, 1, name, True) for id, name in COMPANIES.items()}
    around = Around(names=names, packs=make_packs(), ratings=RATINGS)
    return [make_document(make_thing(*row), around) for row in ROWS]


def number_of(id: str) -> int:
    return int(id.removeprefix("thing_"))
