"""Mistakes in the rules of a pack are refused with file, key and reason: papers, licences, carriage, modes, indices."""

from __future__ import annotations

import pytest

from services.catalog.markets.loader import FOLDER, PackError, load_packs, read_pack
from tests.unit.catalog.tea import PAGE, read_tea

STEEL = (FOLDER / "steel.toml").read_text()


def test_the_market_of_the_page_is_right() -> None:
    pack = read_tea()
    assert pack.market == "tea" and [type.name for type in pack.types] == ["leaf", "retail"]


@pytest.mark.parametrize(
    ("before", "after", "key", "reason"),
    [
        ('check = "gtin"', 'check = "gtim"', "attributes[3].check", "there is no check 'gtim'; there are: "),
        ('choices = "labels"\nmany = true', 'choices = "labels"\nmany = true\nunit = "GRM"',
         "attributes[4].unit", "a choice has no unit (labels)"),
        ('most = "15"\ndecimals = 1', 'most = "15"\ndecimals = 1\nmany = true',
         "attributes[7].many", "a number has one value (moisture)"),
        ('type = "date"', 'type = "date"\npattern = "x"', "attributes[6].pattern", "a date has no pattern (best_before)"),
        ('examples = ["武夷山桐木关", "祁门历口", "Makaibari"]', "",
         "attributes[1].examples", "state some: nobody knows what is written here (garden)"),
        ('examples = ["武夷山桐木关"', 'examples = ["=武夷山桐木关"', "attributes[1].examples",
         "'=武夷山桐木关' begins with =, which a spreadsheet would run as a formula (garden)"),
        ('filter = "garden"', 'filter = "garden"\nequivalents = "tea_grades"',
         "attributes[1].equivalents", "there is no table 'tea_grades'; there are: "),
        ('unit = "GRM"', 'unit = "GRAM"', "attributes[2].unit", "'GRAM' is not known (pack_g)"),
        ('label = { zh = "茶园", en = "Garden" }', 'label = { zh = "茶园", en = " " }',
         "attributes[1].label.en", "is empty"),
        ('headings = ["茶园", "产区", "estate"]', 'headings = ["茶园", "Labels"]',
         "attributes[4].headings", "'Labels' is a heading of attributes[1] already"),
        ('headings = ["仓库", "warehouse"]', 'headings = ["仓库"]\ncheck = "nothing"',
         "columns.warehouse.check", "there is no check 'nothing'; there are: "),
        ('least = "0.001"\nmost = "1000"', 'default = "0"\nleast = "0.001"\nmost = "1000"',
         "columns.net.default", "'0' is not between 0.001 and 1000"),
        ('has = ["gtin", "labels", "moisture"]', 'has = ["gtim"]', "types[0].has", "there is no attribute 'gtim'"),
        ('variants = ["pack_g", "gtin"]', 'variants = ["batch"]', "types[1].variants", "'batch' is not of a product"),
        ('codes = ["black", "green"]', 'codes = ["black"]', "types", "no product type has the kind 'green'"),
        ('trade = ["KGM"]', 'trade = ["H87"]', "types[1].units.trade", "no conversion leads from H87 to KGM"),
        ('step = "0.5", minimum = "2"', 'step = "0.5", minimum = "2.25"',
         "types[1].units.minimum", "is not a multiple of the step"),
        ('step = "0.5", minimum = "2"', 'step = "0", minimum = "2"',
         "types[1].units.step", "step and minimum are more than 0"),
        ('title = { zh = "{kind} {garden}", en', 'title = { zh = "{kind} {batch}", en', "types[0].title.zh",
         "a product has no 'batch': write {batch|} with what stands there then"),
        ('pack_g = "357"', 'pack_g = "3"', "types[1].examples[0].pack_g", "'3' is not between 10 and 50000"),
        ('examples = [{ garden', 'examples = [{ kind = "black", garden',
         "types[1].examples[0].kind", "'black' is not of this type"),
        ('documents = ["test_report"]', 'documents = ["test_reports"]',
         "types[0].documents", "there is no rule 'test_reports'"),
        ('name = "dry"', 'name = "wet"', "types[0].carriage", "there is no rule 'dry'"),
        ('licences = ["food_trade", "organic"]', 'licences = ["food_trade"]',
         "licences[1]", "no product type names 'organic'"),
        ('when = { attribute = "labels"', 'when = { attribute = "label"',
         "licences[1].when.attribute", "there is no attribute 'label'"),
        ('codes = ["organic"] }', 'codes = ["有机"] }',
         "licences[1].when.codes", "'有机' is kept as 'organic': write that"),
        ('scope = "garden"', 'scope = "gardens"', "licences[1].scope", "there is no attribute 'gardens'"),
        ('scope = "garden"', 'scope = "garden"\nhides = true',
         "licences[1].hides", "goods are hidden from buyers without the licence: a buyer must hold it"),
        ('held_by = ["seller"]', 'held_by = []', "licences[1].held_by", "Expected `array` of length >= 1"),
        ('expiry = "best_before"', 'expiry = "moisture"', "carriage[0].expiry", "'moisture' is not a date"),
        ('expiry = "best_before"\n', "", "carriage[0].expiry", "state the attribute that has the date of expiry"),
        ('fefo = true', 'fefo = true\nhazard = "garden"',
         "carriage[0].hazard", "'garden' does not have the check un_number"),
        ('fefo = true', 'fefo = true\ntemperature = { least = "8", most = "2" }',
         "carriage[0].temperature.least", "is not less than most"),
        ('attribute = "moisture"', 'attribute = "garden"',
         "deductions[0].attribute", "'garden' is not a number of this market"),
        ('beyond = "7", up_to = "9"', 'beyond = "7", up_to = "6"',
         "deductions[0].steps[0].up_to", "is not above where the step begins"),
        ('{ beyond = "9", percent', '{ beyond = "8", percent',
         "deductions[0].steps[1].beyond", "is inside the step before"),
        ('up_to = "9", ', "", "deductions[0].steps[0].up_to", "only the last step has no end"),
        ('percent = "3" }', 'percent = "101" }',
         "deductions[0].steps[1].percent", "is not between 0 and 100 per cent"),
        ('reject = "12"', 'reject = "5"', "deductions[0].reject", "is better than where deductions begin"),
        ('mode = "inquiry"', 'mode = "listing"', "modes[1]", "listing of 'leaf' stands already"),
        ('mode = "inquiry"', 'mode = "cart"', "modes[1].validity_hours", "is not a parameter of cart"),
        ('mode = "inquiry"', 'mode = "barter"', "modes[1].mode", "Invalid enum value 'barter'"),
        ('default = "48", most', 'default = "0", most', "modes[1].validity_hours",
         "is not 0 <= least <= default <= most"),
        ('[moderation]\ntypes = ["retail"]', '[moderation]\ntypes = ["leaves"]',
         "moderation.types", "there is no product type 'leaves'"),
        ('"red tea"]', '"puerh"]', "synonyms[1]", "'puerh' is in the group 0 already"),
        ('["红茶", "black tea", "red tea"]', '["红茶", " 红 茶"]',
         "synonyms[0]", "a group has at least two different words"),
        ('use = "deposits"', 'use = "deposit"', "clauses[1]", "Object missing required field `heading`"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_is_refused_with_its_key(before: str, after: str, key: str, reason: str) -> None:
    with pytest.raises(PackError) as refused:
        read_tea((before, after))
    assert (refused.value.file, refused.value.key) == ("tea.toml", key)
    assert refused.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("mode", "key", "reason"),
    [
        ('mode = "forward"\nbands = [{ base_percent = "0", option = "seller", scope = "lot", source = "x" }]',
         "bands[0]", "is not between 0 and 100 per cent"),
        ('mode = "tender"\nstages = [{ label = { zh = "一", en = "1" }, percent = "90", due = "signed" }]',
         "stages", "do not come to 100 per cent"),
        ('mode = "tender"\nprice_weight = { least = "1", default = "2", most = "101" }',
         "price_weight.most", "is more than 100 per cent"),
        ('mode = "booking"\ncancellation = [{ name = "a", label = { zh = "一", en = "1" }, refunds = '
         '[{ hours_before = 1, percent = "50" }, { hours_before = 24, percent = "100" }] }]',
         "cancellation[0].refunds", "the hours do not fall from row to row"),
        ('mode = "booking"\ncancellation = [{ name = "a", label = { zh = "一", en = "1" }, refunds = '
         '[{ hours_before = 24, percent = "50" }, { hours_before = 1, percent = "60" }] }]',
         "cancellation[0].refunds", "who cancels later gets more back"),
        ('mode = "freight"\ntypes = ["leafs"]', "types", "there is no product type 'leafs'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_mode_is_refused_with_its_key(mode: str, key: str, reason: str) -> None:
    with pytest.raises(PackError) as refused:
        read_tea(("[moderation]", f"[[modes]]\n{mode}\n\n[moderation]"))
    assert (refused.value.key, refused.value.reason) == (f"modes[2].{key}", reason)


@pytest.mark.parametrize(
    ("before", "after", "key", "reason"),
    [
        ('code = "REBAR-TJ"', 'code = "HRC-TJ"', "indices", "a code stands twice"),
        ('goods = { kind = "hot_rolled_coil", grade', 'goods = { kind = "热卷", grade',
         "indices[0].goods.kind", "'热卷' is kept as 'hot_rolled_coil': write that"),
        ('goods = { kind = "hot_rolled_coil", grade', 'goods = { kinds = "hot_rolled_coil", grade',
         "indices[0].goods.kinds", "there is no attribute 'kinds'"),
        ('goods = { kind = "hot_rolled_coil", grade', "goods = { grade",
         "indices[0].goods", "is of no product type"),
        ('timezone = "Asia/Shanghai"', 'timezone = "Asia/Tianjin"',
         "indices[0].timezone", "there is no time zone 'Asia/Tianjin'"),
        ('trim_percent = "10"', 'trim_percent = "50"',
         "indices[0].trim_percent", "is not at least 0 and less than 50 per cent"),
        ('also = ["曹妃甸", "Caofeidian"]', 'also = ["天津港"]', "indices[0].places[1]", "'天津港' is another place already"),
        ('attribute = "grade"\nvalue = "Q355B"', 'attribute = "mill"\nvalue = "Q355B"',
         "indices[0].differentials[9].attribute", "the reference goods do not state 'mill'"),
        ('attribute = "grade"\nvalue = "Q355B"', 'attribute = "thickness_mm"\nvalue = "5.5"',
         "indices[0].differentials[9].least", "a number lies between least and most"),
        ('attribute = "thickness_mm"\nleast = "1.8"', 'attribute = "thickness_mm"\nleast = "2.8"',
         "indices[0].differentials[0].least", "is more than most"),
        ("least_parties = 3", "least_parties = 1", "indices[0].least_parties", "Expected `int` >= 2"),
        ('deviations = [\n  { up_to = "12"', 'deviations = [\n  { up_to = "22"',
         "types[2].theoretical.deviations", "the limits do not rise"),
        ('deviations = [{ percent = "5" }]', 'deviations = [{ up_to = "20", percent = "5" }]',
         "types[5].theoretical.deviations[0].up_to", "there is no table of numbers that it could be a limit of"),
        ('"148*100*6*9" =', '"HW100x100x6x8" =',
         "types[4].theoretical.texts.HW100x100x6x8", "is the size '100*100*6*8' already"),
        ('of = ["length_mm", "count"]\nby = "section"', 'of = ["length_mm", "count"]\nby = "diameter_mm"',
         "types[4].theoretical.by", "'diameter_mm' is not a text"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_index_or_a_weight_is_refused_with_its_key(
    before: str, after: str, key: str, reason: str
) -> None:
    assert before in STEEL
    with pytest.raises(PackError) as refused:
        read_pack("steel.toml", STEEL.replace(before, after, 1).encode())
    assert (refused.value.key, refused.value.reason) == (key, reason)


def test_every_rule_of_every_market_names_its_source() -> None:
    for pack in load_packs().values():
        rules = [*pack.documents, *pack.licences, *pack.carriage, *pack.deductions, *pack.indices]
        assert all(len(rule.source) > 5 for rule in rules), pack.market


def test_the_page_shows_a_mistake_as_it_is_told() -> None:
    with pytest.raises(PackError) as refused:
        read_tea(('has = ["gtin", "labels", "moisture"]', 'requires = ["gardn"]'))
    assert str(refused.value) == "tea.toml: types[0].requires: there is no attribute 'gardn'"
    assert str(refused.value) in PAGE.read_text()
