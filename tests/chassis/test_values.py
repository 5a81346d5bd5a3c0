"""Money, quantities and prices at their edges: exact, half up once, and hostile text refused with its path."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.values import (
    CurrencyMismatch,
    Exact,
    Money,
    OutOfRange,
    Quantity,
    UnitMismatch,
    UnitPrice,
    price_of,
    read_wire,
    round_half_up,
    total,
    write_wire,
)

amounts = st.integers(-(10**15), 10**15)


def cny(amount: int) -> Money:
    return Money(amount, "CNY")


def tonnes(value: str) -> Quantity:
    return Quantity(Exact(value), "TNE")


@pytest.mark.parametrize(
    ("price", "tonnes_", "amount"),
    [
        ("3850.00", "12.345", 4752825),
        ("10.00", "1.0005", 1001),  # 10.005 exactly at the half: up
        ("10.00", "1.000499", 1000),
        ("0.01", "0.5", 1),
        ("0.01", "0.499999", 0),
        ("999999.99", "0.000001", 100),
    ],
)
def test_money_meets_quantity_and_rounds_once_half_up(price: str, tonnes_: str, amount: int) -> None:
    assert price_of(UnitPrice(Exact(price), "CNY", "TNE"), tonnes(tonnes_)) == cny(amount)


def test_a_price_a_tonne_takes_kilograms() -> None:
    assert price_of(UnitPrice(Exact("3850.00"), "CNY", "TNE"), Quantity(Exact("12345"), "KGM")) == cny(4752825)


def test_a_price_a_piece_does_not_take_kilograms() -> None:
    with pytest.raises(UnitMismatch):
        price_of(UnitPrice(Exact("1"), "CNY", "H87"), Quantity(Exact("1"), "KGM"))


@pytest.mark.parametrize(("value", "amount"), [("1.005", 101), ("-1.005", -101), ("1.0049999", 100), ("2.675", 268)])
def test_half_up_is_away_from_zero(value: str, amount: int) -> None:
    assert round_half_up(Decimal(value), "CNY") == cny(amount)


def test_currencies_without_minor_units_and_with_three() -> None:
    assert round_half_up(Decimal("100.5"), "JPY") == Money(101, "JPY")
    assert round_half_up(Decimal("1.2345"), "KWD") == Money(1235, "KWD")
    assert str(Money(1234567, "CNY")) == "12,345.67 CNY"


def test_money_past_64_bits_is_refused() -> None:
    with pytest.raises(OutOfRange):
        price_of(UnitPrice(Exact("999999999999"), "CNY", "TNE"), tonnes("999999999999"))


@pytest.mark.parametrize(
    ("price", "premium", "currency", "sum"),
    [
        ("3800.004", "0.001", "CNY", "3800.01"),
        ("3800.004", "0.0009", "CNY", "3800.00"),
        ("3800.5", "0", "JPY", "3801"),
        ("1.0005", "-1", "BHD", "0.001"),
        ("3850", "-3850", "CNY", "0.00"),
        ("3850", "-3900.25", "CNY", "-50.25"),
        ("999999999999", "999999999999.999999", "CNY", "1999999999999.00"),
    ],
)
def test_a_premium_on_a_price_is_rounded_half_up_once(price: str, premium: str, currency: str, sum: str) -> None:
    assert str(UnitPrice(Exact(price), currency, "TNE").plus(Exact(premium))) == sum


def test_currencies_do_not_add_or_compare() -> None:
    with pytest.raises(CurrencyMismatch):
        cny(1) + Money(1, "EUR")
    with pytest.raises(CurrencyMismatch):
        assert cny(1) < Money(1, "EUR")


@given(amounts, st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any))
def test_a_split_loses_nothing_and_is_within_a_unit_of_fair(amount: int, weights: list[int]) -> None:
    parts = cny(amount).split(weights)
    assert total(parts, "CNY") == cny(amount)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Decimal(part.amount) - Decimal(amount) * weight / sum(weights)) < 1


def test_a_hundred_in_three() -> None:
    assert [part.amount for part in cny(10000).split([1, 1, 1])] == [3334, 3333, 3333]


@given(st.integers(0, 10**12), st.sampled_from([Decimal("0.13"), Decimal("0.09"), Decimal("0.06"), Decimal(0)]))
def test_net_and_tax_of_a_gross_that_includes_tax_add_up(gross: int, rate: Decimal) -> None:
    net = cny(gross).without_rate(rate)
    exact = Decimal(gross) / (1 + rate)
    assert abs(Decimal(net.amount) - exact) <= Decimal("0.5")
    assert net + (cny(gross) - net) == cny(gross)


@given(st.decimals(0, 10**9, places=6))
def test_units_convert_there_and_back_exactly(value: Decimal) -> None:
    quantity = Quantity(Exact(value), "KGM")
    assert Quantity(Exact(value), "KGM").to("GRM").to("KGM") == quantity


class Wire(msgspec.Struct):
    quantity: Quantity
    money: Money


@pytest.mark.parametrize(
    ("quantity", "money", "path"),
    [
        ('{"value":"NaN","unit":"TNE"}', '{"amount":1,"currency":"CNY"}', "$.quantity.value"),
        ('{"value":"Infinity","unit":"TNE"}', '{"amount":1,"currency":"CNY"}', "$.quantity.value"),
        ('{"value":"1e1000000","unit":"TNE"}', '{"amount":1,"currency":"CNY"}', "$.quantity.value"),
        ('{"value":"1E2","unit":"TNE"}', '{"amount":1,"currency":"CNY"}', "$.quantity.value"),
        ('{"value":"１２","unit":"TNE"}', '{"amount":1,"currency":"CNY"}', "$.quantity.value"),
        ('{"value":"1_000","unit":"TNE"}', '{"amount":1,"currency":"CNY"}', "$.quantity.value"),
        ('{"value":"1.0000001","unit":"TNE"}', '{"amount":1,"currency":"CNY"}', "$.quantity.value"),
        ('{"value":"1\\n","unit":"TNE"}', '{"amount":1,"currency":"CNY"}', "$.quantity.value"),
        ('{"value":12,"unit":"TNE"}', '{"amount":1,"currency":"CNY"}', "$.quantity.value"),
        ('{"value":"-1","unit":"TNE"}', '{"amount":1,"currency":"CNY"}', "$.quantity"),
        ('{"value":"1","unit":"ton"}', '{"amount":1,"currency":"CNY"}', "$.quantity.unit"),
        ('{"value":"1","unit":"TNE"}', '{"amount":9223372036854775808,"currency":"CNY"}', "$.money.amount"),
        ('{"value":"1","unit":"TNE"}', '{"amount":1.5,"currency":"CNY"}', "$.money.amount"),
        ('{"value":"1","unit":"TNE"}', '{"amount":"1","currency":"CNY"}', "$.money.amount"),
        ('{"value":"1","unit":"TNE"}', '{"amount":1,"currency":"XXX"}', "$.money"),
        ('{"value":"1","unit":"TNE"}', '{"amount":1,"currency":"CNY\\n"}', "$.money.currency"),
    ],
)
def test_hostile_values_are_refused_with_their_path(quantity: str, money: str, path: str) -> None:
    decoder = msgspec.json.Decoder(Wire, dec_hook=read_wire)
    with pytest.raises(msgspec.ValidationError) as raised:
        decoder.decode(f'{{"quantity":{quantity},"money":{money}}}'.encode())
    assert f"`{path}`" in str(raised.value)


def test_decimals_leave_as_they_came_and_never_as_exponents() -> None:
    encoder = msgspec.json.Encoder(enc_hook=write_wire)
    assert encoder.encode(Quantity(Exact("12.500"), "TNE")) == b'{"value":"12.500","unit":"TNE"}'
    assert encoder.encode(Quantity(Exact(Decimal("1E+3")), "TNE")) == b'{"value":"1000","unit":"TNE"}'
