"""Samples of every market: enough, right by the market's own checks, and the same again for the same seed."""

from __future__ import annotations

from datetime import date

import pytest

from services.catalog.markets.loader import load_packs
from services.catalog.markets.needs import find_unfit
from services.catalog.markets.samples import NoSample, Sample, make_samples
from tests.unit.catalog.tea import read_tea

MARKETS = sorted(load_packs())


@pytest.mark.parametrize("market", MARKETS)
def test_at_least_200_products_of_a_market_are_right(market: str) -> None:
    pack = load_packs()[market]
    samples = make_samples(pack, 1, max(300, 2 * sum(len(type.codes) for type in pack.types)))
    assert {sample.type for sample in samples} == {type.name for type in pack.types}
    for sample in samples:
        for name, value in sample.attributes.items():
            assert pack.check(pack.by_name[name], value) == value, (sample.number, name, value)
        assert find_unfit(pack, sample.attributes) == [], sample
        assert all(pack.title_of(sample.attributes).values()) and pack.type_of(sample.attributes).name == sample.type
    assert len({sample.number for sample in samples}) == len(samples)
    products = {tuple(sorted(sample.at(pack, "product").items())) for sample in samples}
    assert len(products) >= 200, "products differ"


@pytest.mark.parametrize("market", MARKETS)
def test_every_choice_of_a_type_has_a_sample(market: str) -> None:
    pack = load_packs()[market]
    wanted = {code for type in pack.types for code in type.codes}
    found = {
        sample.attributes[pack.types_by_name[sample.type].attribute] for sample in make_samples(pack, 3, len(wanted))
    }
    assert found == wanted


def test_the_same_seed_makes_the_same_goods() -> None:
    tea = read_tea()
    assert make_samples(tea, 5, 50) == make_samples(tea, 5, 50)
    assert make_samples(tea, 5, 50) != make_samples(tea, 6, 50)
    assert make_samples(tea, 5, 50)[:20] == make_samples(tea, 5, 20)


def test_goods_expire_after_today_and_were_tested_before_it() -> None:
    tea = read_tea()
    for sample in make_samples(tea, 1, 60, today=date(2030, 1, 1)):
        assert "2030-06-01" < sample.attributes["best_before"] < "2033-01-01"


def test_typical_goods_keep_together() -> None:
    steel = load_packs()["steel"]
    for sample in make_samples(steel, 1, 400):
        made = sample.attributes
        if sample.type == "bar":
            assert made["grade"].startswith("HRB") and made["standard"].startswith("GB/T 1499.2")
        if made["kind"] == "hot_rolled_coil" and made["grade"] == "Q235B":
            assert made["standard"] == "GB/T 3274-2017" and "length_mm" not in made


def test_a_sample_is_shown_by_level() -> None:
    tea = read_tea()
    sample = make_samples(tea, 1, 1)[0]
    assert isinstance(sample, Sample) and sample.at(tea, "lot").keys() <= {"batch", "best_before", "moisture"}
    assert sample.at(tea, "product", "lot", "piece") == sample.attributes


def test_a_pack_that_does_not_say_what_a_value_looks_like() -> None:
    tea = read_tea()
    tea.by_name["garden"].examples.clear()
    with pytest.raises(NoSample, match="^tea: garden has neither a check nor examples$"):
        make_samples(tea, 1, 1)
