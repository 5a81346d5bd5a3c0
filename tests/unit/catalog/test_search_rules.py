"""The rules of the search: spelling, keys, places, locks, and what it means that a document fits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Exact, UnitPrice
from events.catalog import LicenceNeeded
from events.identity import Licence
from services.catalog.search.access import (
    NO_LOCK,
    PUBLIC,
    buying_lock,
    hiding_lock,
    marks_of,
    viewer_of,
)
from services.catalog.search.engine import Key, Range, encode_number, encode_pair, pair_range, range_of
from services.catalog.search.keys import price_keys, rank_of, rating_key, rating_of, time_key
from services.catalog.search.places import by_distance, distance_km, key_of, place_in, places_within
from services.catalog.search.spelling import Vocabulary, count_slips, may_be_misspelled

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
WORDS = Vocabulary(["galvanized", "rebar", "steel", "stele", "coil", "methanol", "stainless"])


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("rebra", ["rebar"]),
        ("reba", ["rebar"]),
        ("rebarr", ["rebar"]),
        ("ribar", ["rebar"]),
        ("rbar", ["rebar"]),
        ("raber", []),
        ("galvanised", ["galvanized"]),
        ("galvnaised", ["galvanized"]),
        ("galvnasied", []),
        ("steel", ["stele"]),
        ("cool", ["coil"]),
        ("coi", []),
        ("q235b", []),
        ("methnol", ["methanol"]),
        ("stianless", ["stainless"]),
        ("", []),
        ("x" * 200, []),
    ],
)
def test_what_may_have_been_meant(word: str, meant: list[str]) -> None:
    assert WORDS.meant_by(word) == meant


letters = st.text(alphabet="abcde", min_size=4, max_size=12)


@given(letters, letters)
def test_slips_are_counted_the_same_both_ways(one: str, other: str) -> None:
    assert count_slips(one, other, 20) == count_slips(other, one, 20) <= max(len(one), len(other))
    assert (count_slips(one, other, 20) == 0) is (one == other)
    slips = count_slips(one, other, 20)
    assert (count_slips(one, other, 2) <= 2) is (slips <= 2)


@given(st.lists(letters, max_size=30), letters)
def test_the_quick_look_finds_what_comparing_with_every_word_finds(words: list[str], word: str) -> None:
    most = 2 if len(word) >= 8 else 1
    near = {other for other in words if other != word and count_slips(word, other, most) <= most}
    found = Vocabulary(words).meant_by(word)
    assert set(found) <= near and len(found) == min(len(near), 5) and may_be_misspelled(word)


prices = st.decimals(min_value=0, max_value=10**9, places=2)


@given(prices, prices)
def test_the_order_of_keys_is_that_of_prices(one: Decimal, other: Decimal) -> None:
    keys = [
        price_keys("a", UnitPrice(Exact(each), "CNY", "TNE"), "tax_included", Exact("0.13")) for each in (one, other)
    ]
    for key in (Key.WITH_TAX, Key.WITHOUT_TAX):
        assert 0 <= keys[0][key] < 2**63
        if one < other:
            assert keys[0][key] <= keys[1][key]
        if one * Decimal("1.00000001") < other:
            assert keys[0][key] < keys[1][key]


def test_prices_are_compared_by_base_unit_and_tax() -> None:
    def key(price: str, unit: str, basis: str, by: Key = Key.WITH_TAX) -> int:
        return price_keys("a", UnitPrice(Exact(price), "CNY", unit), basis, Exact("0.13"))[by]

    assert key("4000", "TNE", "tax_included") == key("4", "KGM", "tax_included")
    assert key("1000", "TNE", "tax_excluded") == key("1130", "TNE", "tax_included")
    assert key("1000", "TNE", "tax_excluded", Key.WITHOUT_TAX) == key("1130", "TNE", "tax_included", Key.WITHOUT_TAX)
    assert price_keys("a", None, None, None)[Key.WITH_TAX] == 2**63 - 1


def test_times_ids_and_ratings_as_keys() -> None:
    assert time_key("b", NOW) < time_key("a", NOW + timedelta(minutes=1)) < time_key("a", None)
    assert (
        rank_of("offer_0abcdefghijklmn") < rank_of("offer_0abcdefghijzmn") and rank_of("offer_") == rank_of("天") == 0
    )
    assert rating_key("offer_zzzzzzzzzzzzzzz", 90) < rating_key("offer_0", 91) < 2**63


@pytest.mark.parametrize(
    ("kept", "broken", "rating"),
    [(0, 0, 90), (10, 0, 95), (90, 0, 99), (10**6, 0, 100), (0, 10, 45), (0, 1, 82), (1, 1, 83)],
)
def test_ratings(kept: int, broken: int, rating: int) -> None:
    assert rating_of(kept, broken) == rating


def test_places() -> None:
    tianjin, shanghai = place_in("天津"), place_in("shanghai")
    assert tianjin is not None and shanghai is not None and place_in("钢铁大道1号") is place_in("") is None
    assert place_in("天津市河西区仓库") is not None and place_in("Port of Rotterdam") is not None
    assert 950 < distance_km((tianjin.lat, tianjin.lon), (shanghai.lat, shanghai.lon)) < 1_000
    assert distance_km((0, 0), (0, 180)) == pytest.approx(20_015, abs=1) and distance_km((1, 1), (1, 1)) == 0
    assert key_of(shanghai) in places_within((31.2, 121.5), 30) and places_within((0, -150), 100) == []
    assert by_distance((31.2, 121.5), ["CNTSN", "CNSHA", "nowhere"])[0][1] == "CNSHA"


def test_locks_and_marks() -> None:
    arms = LicenceNeeded(scheme="arms", held_by=["buyer"], scope=["3", "8"], hides=True)
    shop = LicenceNeeded(scheme="shop", held_by=["seller", "buyer"])
    seller_only = LicenceNeeded(scheme="made", held_by=["seller"], hides=True)
    lock, buying = hiding_lock([arms, shop, seller_only]), buying_lock([shop, arms])
    assert hiding_lock([shop, seller_only]).id == NO_LOCK and lock.id != buying.id == buying_lock([arms, shop]).id

    def held(scheme: str, *scope: str, days: int = 1) -> Licence:
        return Licence(scheme=scheme, number="1", scope=list(scope), valid_until=NOW + timedelta(days=days))

    assert lock.opens_for([held("arms", "8", "3", "1")], NOW)
    # One licence must have the whole scope, and be in force.
    for licences in (
        [],
        [held("arms", "3"), held("arms", "8")],
        [held("arms", "3", "8", days=0)],
        [held("shop", "3", "8")],
    ):
        assert not lock.opens_for(licences, NOW)
    marks = marks_of("owner", None, lock)
    locks = {each.id: each for each in (lock, buying)}
    stranger, holder = viewer_of("p", [], locks, NOW), viewer_of("p", [held("arms", "3", "8")], locks, NOW)
    owner = viewer_of("owner", [], locks, NOW)
    assert [marks.isdisjoint(each.marks or ()) for each in (stranger, holder, owner)] == [True, False, False]
    assert buying.id not in holder.opened and lock.id in holder.opened
    directed = marks_of("owner", ["p"], hiding_lock([]))
    assert (
        PUBLIC not in directed
        and not directed.isdisjoint(stranger.marks or ())
        and directed.isdisjoint(viewer_of("q", [], {}, NOW).marks or ())
    )
    assert marks_of("owner", [], hiding_lock([])) == {"owner|own"}


@given(st.decimals(-1000, 1000, places=3), st.decimals(-1000, 1000, places=3), st.decimals(-1000, 1000, places=3))
def test_a_pair_is_in_the_range_that_its_number_is_in(value: Decimal, least: Decimal, most: Decimal) -> None:
    pair = encode_pair("a_grade=q235b", "a_thickness", encode_number(value))
    low, high = pair_range("a_grade=q235b", range_of("a_thickness", least, most))
    assert (low <= pair <= high) is (least <= value <= most) and 0 <= pair < 2**63
    low, high = pair_range("a_grade=other", Range("a_thickness", -(10**18), 10**18))
    assert not low <= pair <= high
