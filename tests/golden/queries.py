"""What traders type, and the numbers of the things that they must find: all of them, and nothing else."""

# ruff: noqa: E501 - tables are read by their columns

from __future__ import annotations

from typing import Any

EVERYTHING = [*range(1, 18), 20, 22, *range(24, 37), 39, 40]
HOT = [1, 2, 3, 7, 39]
WORDS: list[tuple[str, list[int]]] = [
    # kinds, by their names and what else they are called
    ("热轧卷板", HOT), ("热卷", HOT), ("HRC", HOT), ("hrc", HOT), ("hot rolled coil", HOT), ("Hot-Rolled Coils", HOT),
    ("hot rolled", HOT), ("rolled coil", [*HOT, 4, 5]), ("热轧卷", HOT), ("热轧", [*HOT, 15]), ("轧卷", [*HOT, 4, 5, 15]),
    ("熱軋卷板", HOT), ("熱軋", [*HOT, 15]), ("冷轧", [4, 5, 15]), ("冷軋卷板", [4, 5]), ("CRC", [4, 5]), ("cold rolled coil", [4, 5]),
    ("镀锌", [6]), ("鍍鋅", [6]), ("镀锌卷", [6]), ("galvanized", [6]), ("galvanised", [6]), ("zinc coated", [6]), ("HDG", [6]), ("锌", [6]),
    ("中厚板", [8, 9, 34]), ("heavy plate", [8, 9, 34]), ("plate heavy", [8, 9, 34]), ("厚板", [8, 9, 34]), ("plates", [8, 9, 34]),
    ("螺纹钢", [12, 13, 33]), ("螺纹", [12, 33]), ("rebar", [12, 13, 33]), ("钢筋", [12, 13, 33]), ("deformed bar", [12, 13, 33]),
    ("螺紋鋼", [12, 13, 33]), ("盘螺", [17]), ("rebar in coil", [17]), ("H型钢", [14]), ("h beam", [14]), ("Ｈ型钢", [14]),
    ("不锈钢", [10, 11]), ("不锈钢卷板", [10, 11]), ("stainless coil", [10, 11]), ("stainless steel", [10, 11]), ("不銹鋼", [10, 11]),
    ("硅钢", [40]), ("取向硅钢", [40]), ("电工钢", []), ("开平板", [16]), ("cut to length", [16]), ("板冷", []), ("整批", [15]), ("冷轧 整批", [15]),
    # grades
    ("Q235B", [1, 7, 14, 16]), ("q235b", [1, 7, 14, 16]), ("Ｑ２３５Ｂ", [1, 7, 14, 16]), ("Q235", [1, 7, 14, 16]), ("235", [1, 7, 14, 16]),
    ("Q355B", [2, 8]), ("Q355", [2, 8]), ("355", [2, 8, 9]), ("S355J2+N", [9]), ("S355J2", [9]), ("SPHC", [3, 7]), ("SPCC-SD", [4]), ("SPCC", [4]),
    ("DX51D+Z275", [6]), ("DX51D", [6]), ("Z275", [6]), ("304L", [10]), ("304", [10]), ("304L 2B", [10]), ("316L BA", [11]), ("316", [11]),
    ("HRB400E", [12, 17, 33]), ("HRB400", [12, 17, 33]), ("HRB", []), ("S275JR", [39]), ("B27R090", [40]), ("Q345R", [34]), ("Q345", [34]),
    # sizes
    ("5.5*1250", [1]), ("5.5×1250", [1]), ("5.5x1250", [1]), ("5.5X1250", [1]), ("5.5 x 1250", [1]), ("5.5*1250*C", [1]), ("5.5＊1250＊C", [1]),
    ("5.5*1500*C", [2]), ("5.5×1500", [2]), ("5.5*1500*c", [2]), ("1500*5.5", []), ("20*2000*8000", [8]), ("2000*8000", [8]), ("05.50*1250", [1]),
    ("Q235B 5.5", [1, 7]), ("Q235B5.5*1250", [1]), ("5.5 Q355B", [2]), ("1219", [10]), ("1,219", [10]), ("2.75mm", [3]), ("2.75 mm", [3]), ("0.5mm", [11]),
    ("30mm", [9, 29]), ("厚30", [9, 29]), ("厚度30 宽2500", [9]), ("Ф20 螺纹", [12]), ("φ20", [12]), ("Φ20螺纹钢", [12]), ("ø25", [33]), ("16mm rebar", [13]),
    ("4.0x1500", [39]), ("4*1500", [39]), ("300*300", [14]), ("0.27*1000", [40]), ("100mg*30片", [29]), ("99.9%", [20]),
    # numbers, names, places
    ("C-2306-0123A", [1]), ("2306-0123a", [1]), ("SECRETHEAT", []), ("LGXC16DF4A0169664", []), ("first mill", []), ("other steel", [2, 9, 11, 13, 39]),
    ("Other Steel GmbH", [2, 9, 11, 13, 39]), ("第一钢厂", [1, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15, 16, 17, 40]), ("海化集团", [20, 22]), ("海化集團", [20, 22]),
    ("上海 冷轧", [4, 5]), ("shanghai 冷轧", [4, 5]), ("上海冷轧卷板", [4, 5]), ("天津螺纹钢", [12, 13]), ("唐山螺纹钢", [12]), ("Tangshan rebar", [12]),
    ("rotterdam plate", [9]), ("鹿特丹 中厚板", [9]), ("青岛", [20, 28]), ("qingdao", [20, 28]),
    # initials of pinyin
    ("tjdygc", [1, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15, 16, 17, 40]), ("rzjb", [1, 2, 3, 7, 39]), ("dygc", [1, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15, 16, 17, 40]),
    ("bxgjb", [10, 11]), ("zhb", [8, 9, 34]), ("sdhh", [20, 22]), ("lwg", [33]), ("zzz", []),
    # other trades
    ("甲醇", [20]), ("methanol", [20]), ("methyl alcohol", [20]), ("木精", [20]), ("67-56-1", [20]), ("烧碱", []), ("NaOH", []), ("片碱", []),
    ("toluene", [22]), ("甲苯", [22]), ("硫酸", []), ("比亚迪", [24]), ("BYD", [24]), ("byd seal", [24]), ("海豹", [24]), ("二手车", [24, 35]), ("used car", [24, 35]),
    ("pre-owned", [24, 35]), ("VW", [25, 35]), ("volkswagen golf", [35]), ("帕萨特", [25]), ("passat", [25]), ("玉米", [26]), ("corn", [26]), ("maize", [26]), ("苞米", [26]),
    ("大豆", [27]), ("soybeans", [27]), ("非转基因", [26, 27]), ("apples", [28]), ("苹果", [28]), ("蘋果", [28]), ("阿司匹林", [29]), ("aspirin", [29]), ("acetylsalicylic acid", [29]),
    ("阿莫西林 胶囊", [30]), ("capsules", [30]), ("国药准字H44021518", [30]), ("H44021518", [30]), ("西湖", [31, 32]), ("酒店", [31, 32]), ("hotel", [31, 32]), ("宾馆", [31, 32]), ("门票", [32]),
    ("求购", [33]), ("招标", [34]), ("海运舱位", [36]), ("拍卖 golf", [35]), ("保密", []), ("合同价", []), ("过期", []),
    # typing mistakes
    ("rebra", [12, 13, 33]), ("galvanzied", [6]), ("stianless", [10, 11]), ("methnol", [20]), ("tolueen", [22]), ("volkswagn", [25, 35]), ("hevy plate", [8, 9, 34]),
    ("aspirn", [29]), ("rolld coil", [*HOT, 4, 5]), ("xyzzyq", []), ("roteredam", [9]),
    # not words at all
    ("!!! ***", []), ('*:* OR _exists_:body "~ {}', []), ("|", []), ("~tj", [1, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 36, 40]), ("@天津", [1, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 36, 40]),
]  # fmt: skip

MILLS_BUYER, CHEMIST, OWNER = "buyer", "licensed", "owner"
FILTERED: list[tuple[str, dict[str, Any], list[int]]] = [
    ("everything", {}, EVERYTHING),
    ("a market", {"market": "farming"}, [26, 27, 28]),
    ("a kind of thing", {"kinds": ["inquiry", "tender"]}, [33, 34]),
    ("bookable", {"kinds": ["booking"]}, [31, 32]),
    ("auctions", {"kinds": ["auction"]}, [35]),
    ("capacity", {"kinds": ["capacity"]}, [36]),
    ("products only when asked for", {"kinds": ["product"]}, [38]),
    ("a product by its number", {"kinds": ["product"], "text": "HR-Q235B-55"}, [38]),
    ("a grade", {"filters": {"grade": ["q355b"]}}, [2, 8]),
    ("a whole grade, not its beginning", {"filters": {"grade": ["Q355"]}}, []),
    ("one of two grades", {"filters": {"grade": ["Q355B", "304L"]}}, [2, 8, 10]),
    ("a choice by its code", {"filters": {"kind": ["rebar"]}}, [33]),
    ("a choice by its Chinese name", {"filters": {"kind": ["螺纹钢"]}}, [33]),
    ("a choice by another name", {"filters": {"substance": ["methyl alcohol"]}}, [20]),
    ("a thickness from and to", {"filters": {"thickness.min": ["2.75"], "thickness.max": ["3"]}}, [3, 7]),
    ("a thickness from", {"filters": {"thickness.min": ["20"]}}, [8, 9]),
    ("a thickness up to", {"filters": {"thickness.max": ["0.8"]}}, [5, 11]),
    ("a thickness itself", {"filters": {"thickness": ["5.5"]}}, [1, 2, 7]),
    ("just over a thickness", {"filters": {"thickness.min": ["5.500001"], "thickness.max": ["15.9"]}}, []),
    ("a thickness in inches", {"filters": {"thickness.min": ["0.1 in"], "thickness.max": ["0.25in"]}}, [1, 2, 3, 7, 39]),
    ("a thickness in inches, in Chinese", {"filters": {"thickness.min": ["1英寸"]}}, [9]),
    ("a thickness in centimetres", {"filters": {"thickness.min": ["2 cm"]}}, [8, 9]),
    ("a width in metres", {"filters": {"width.min": ["2m"]}}, [8, 9]),
    ("a distance in miles", {"filters": {"mileage.max": ["10000 mi"]}}, [24]),
    ("a date", {"filters": {"registered.min": ["2021-01-01"]}}, [24, 35]),
    ("a date before", {"filters": {"registered.max": ["2020-01-01"]}}, [25]),
    ("a percentage", {"filters": {"purity.min": ["99.6"]}}, [20]),
    ("grade and thickness of one piece", {"filters": {"grade": ["Q235B"], "thickness.min": ["5"], "thickness.max": ["6"]}}, [1]),
    ("the other piece", {"filters": {"grade": ["SPHC"], "thickness.min": ["5"], "thickness.max": ["6"]}}, [7]),
    ("one of two grades and a thickness", {"filters": {"grade": ["SPHC", "Q355B"], "thickness.min": ["5"], "thickness.max": ["6"]}}, [2, 7]),
    ("one of many values", {"filters": {"tags": ["高蛋白"]}}, [27]),
    ("words and filter", {"text": "热卷", "filters": {"grade": ["SPHC"]}}, [3, 7]),
    ("a town", {"place": "上海"}, [4, 5, 17, 29, 30, 35]),
    ("a town in pinyin", {"place": "shanghai"}, [4, 5, 17, 29, 30, 35]),
    ("a warehouse", {"place": "三号库"}, [8, 10]),
    ("a place that nothing is in", {"place": "拉萨"}, []),
    ("near a place", {"near": "苏州", "radius_km": 60}, [8, 10, 11]),
    ("near a place, wider", {"near": "苏州", "radius_km": 120}, [4, 5, 8, 10, 11, 17, 29, 30, 35]),
    ("near a point", {"near": "39.63,118.18", "radius_km": 30}, [2, 12, 14]),
    ("a seller", {"seller_id": "party_trader"}, [2, 9, 11, 13, 39]),
    ("delivered soon", {"deliver_days": 3}, [1, 2, 3]),
    ("in stock", {"in_stock": True, "market": "farming"}, [26, 27, 28]),
    ("in stock are offers only", {"in_stock": True, "text": "螺纹钢"}, [12, 13]),
    ("a currency", {"currency": "EUR"}, [39]),
    ("the cheapest in a currency", {"sort": "price", "text": "热卷"}, [1, 2, 3, 7]),
    ("what I may buy", {"allowed": True, "market": "pharma"}, []),
    ("a market nobody has", {"market": "timber"}, []),
    ("contract price for its buyer", {"text": "合同价", "viewer": MILLS_BUYER}, [18]),
    ("contract price for its seller", {"text": "合同价", "viewer": "mill"}, [18]),
    ("contract price for a rival", {"text": "合同价", "viewer": "rival"}, []),
    ("a buyer's own inquiries", {"text": "求购", "viewer": MILLS_BUYER}, [33]),
    ("an inquiry for one mill", {"text": "求购", "viewer": "mill"}, [33, 37]),
    ("hidden goods with a licence", {"text": "烧碱", "viewer": CHEMIST}, [21]),
    ("hidden goods with a licence, in English", {"text": "caustic soda", "viewer": CHEMIST}, [21]),
    ("hidden goods of one's own", {"text": "烧碱", "viewer": "chem"}, [21]),
    ("hidden products", {"kinds": ["product"], "viewer": CHEMIST}, [23, 38]),
    ("what I may buy with a licence", {"allowed": True, "market": "pharma", "viewer": CHEMIST}, [29, 30]),
    ("the operator sees all that is valid", {"viewer": "operator"}, sorted([*EVERYTHING, 18, 21, 37])),
]  # fmt: skip
