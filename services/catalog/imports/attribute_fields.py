"""The columns that a market's attributes are in an upload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from chassis.uploads.fields import Field, Values
from chassis.uploads.headings import fold_word
from chassis.uploads.reasons import reason_of
from chassis.values import Exact
from services.catalog.markets import needs
from services.catalog.markets.attributes import Attribute
from services.catalog.markets.needs import LEVELS
from services.catalog.markets.pack import Pack
from services.catalog.markets.words import Bilingual

_KINDS = {"number": "number", "choice": "word", "date": "date"}


def list_attribute_fields(pack: Pack, attributes: Sequence[Attribute]) -> list[Field]:
    """A field for each of some attributes."""
    return [
        Field(
            name=attribute.name,
            label=label_of(attribute.label),
            headings=attribute.headings,
            read=pack.readers[attribute.name],
            kind=_KINDS.get(attribute.type, "text"),  # type: ignore[arg-type]
            required=attribute.required,
            factors=list_factors(pack, attribute.unit),
        )
        for attribute in attributes
    ]


def label_of(name: Bilingual) -> dict[str, str]:
    """A name by language."""
    return {"zh": name.zh, "en": name.en}


def list_factors(pack: Pack, unit: str | None) -> dict[str, Exact]:
    """The words for units that a column kept in a unit may be in, and how many of that unit make one of each."""
    if unit is None:
        return {}
    by_code = {code: pack.convert(code, unit) for code in {*pack.unit_codes.values(), unit}}
    words = {**pack.unit_codes, fold_word(unit): unit}
    return {word: factor for word, code in words.items() if (factor := by_code[code]) is not None}


def check_type(pack: Pack, levels: Sequence[str] = LEVELS) -> Callable[[Values], Iterable[tuple[str, str]]]:
    """What says which attributes of these levels a row lacks, or has and may not, by its product type.

    What a type asks for is found once for each.
    """
    of_levels = {attribute.name for attribute in pack.attributes if attribute.level in levels}
    known: dict[str | None, tuple[frozenset[str], frozenset[str]]] = {}

    def find_unfit(values: Values) -> Iterable[tuple[str, str]]:
        type = pack.type_of(values)
        name = type.name if type else None
        if name not in known:
            strange = [each for each in of_levels if type and not needs.may_have(pack, type, each)]
            known[name] = frozenset(needs.must_have(pack, type, levels)), frozenset(strange)
        required, strange = known[name]
        if required <= values.keys() and strange.isdisjoint(values):
            return ()
        attributes = {each: value for each, value in values.items() if each in of_levels}
        return [(each, reason_of(failed)) for each, failed in needs.find_unfit(pack, attributes, levels)]

    return find_unfit
