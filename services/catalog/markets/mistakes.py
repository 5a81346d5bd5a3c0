"""The mistakes that a market pack makes in its product types, titles, words for units and rule of certificates."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chassis.units import UNITS
from services.catalog.markets.needs import may_have
from services.catalog.markets.pack import Bilingual, Pack, ProductType
from services.catalog.markets.texts import fold_name
from services.catalog.markets.theory import find_bad_theory


def find_bad_types(pack: Pack) -> Iterator[tuple[str, str]]:
    """What is wrong in product types: key and reason."""
    owners: dict[tuple[str, str], str] = {}
    for i, type in enumerate(pack.types):
        yield from ((f"types[{i}].{key}", reason) for key, reason in _find_bad_type(pack, type))
        for code in type.codes:
            if owners.setdefault((type.attribute, code), type.name) != type.name:
                yield f"types[{i}].codes", f"{code!r} is of the type {owners[type.attribute, code]!r} already"
        yield from find_bad_titles(pack, f"types[{i}].title", type.title, type.requires)
        yield from ((f"types[{i}].{key}", reason) for key, reason in _find_bad_examples(pack, type))
    if len({type.name for type in pack.types}) < len(pack.types):
        yield "types", "a name stands twice"


def _find_bad_type(pack: Pack, type: ProductType) -> Iterator[tuple[str, str]]:
    attribute = pack.by_name.get(type.attribute)
    if attribute is None or attribute.type != "choice" or attribute.many:
        yield "attribute", f"{type.attribute!r} is not a choice of this market"
        return
    for code in type.codes:
        if pack.choice_of(attribute, code) is None:
            yield "codes", f"{code!r} is not one of {attribute.choices}"
    for key in ("requires", "has", "variants"):
        for name in getattr(type, key):
            if name not in pack.by_name:
                yield key, f"there is no attribute {name!r}"
            elif key == "variants" and pack.by_name[name].level != "product":
                yield key, f"{name!r} is not of a product"
            elif key == "variants" and not may_have(pack, type, name):
                yield key, f"goods of this type do not have {name!r}"
    if type.theoretical:
        yield from ((f"theoretical.{key}", reason) for key, reason in find_bad_theory(type.theoretical, pack.by_name))
        yield from _find_never_had(pack, type)
    yield from _find_bad_type_units(pack, type)


def _find_bad_examples(pack: Pack, type: ProductType) -> Iterator[tuple[str, str]]:
    for i, example in enumerate(type.examples):
        yield from ((f"examples[{i}].{key}", reason) for key, reason in _find_bad_example(pack, type, example))


def _find_bad_example(pack: Pack, type: ProductType, example: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in example.items():
        if name not in pack.by_name or not may_have(pack, type, name):
            yield name, "goods of this type do not have this"
            continue
        try:
            kept = pack.check(pack.by_name[name], text)
        except ValueError as error:
            yield name, f"{text!r} {error}"
        else:
            if name == type.attribute and kept not in type.codes:
                yield name, f"{text!r} is not of this type"


def _find_never_had(pack: Pack, type: ProductType) -> Iterator[tuple[str, str]]:
    for name in type.theoretical.names if type.theoretical else ():
        if name in pack.by_name and not may_have(pack, type, name):
            yield "theoretical", f"goods of this type do not have {name!r}"


def _find_bad_type_units(pack: Pack, type: ProductType) -> Iterator[tuple[str, str]]:
    if (units := type.units) is None:
        return
    for key, code in [("base", units.base), *(("trade", code) for code in units.trade)]:
        if code not in UNITS:
            yield f"units.{key}", f"{code!r} is not known"
        elif pack.convert(code, units.base) is None:
            yield f"units.{key}", f"no conversion leads from {code} to {units.base}"
    if units.step <= 0 or units.minimum <= 0:
        yield "units.step", "step and minimum are more than 0"
    elif units.minimum % units.step:
        yield "units.minimum", "is not a multiple of the step"


def find_untyped(pack: Pack) -> Iterator[tuple[str, str]]:
    """Choices by which goods are typed and that no product type has: key and reason."""
    for name in {type.attribute for type in pack.types}:
        typed = {code for type in pack.types if type.attribute == name for code in type.codes}
        attribute = pack.by_name.get(name)
        for choice in pack.choices.get(attribute.choices or "", ()) if attribute else ():
            if choice.code not in typed:
                yield "types", f"no product type has the {name} {choice.code!r}"


def find_bad_titles(pack: Pack, key: str, title: Bilingual, required: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong in a title whose goods have what all goods have and what is ``required`` besides."""
    for language in ("zh", "en"):
        for name, has_other in pack.placeholders(getattr(title, language)):
            attribute = pack.by_name.get(name)
            if attribute is None:
                yield f"{key}.{language}", f"there is no attribute {name!r}"
            elif not has_other and attribute.level != "product":
                yield f"{key}.{language}", f"a product has no {name!r}: write {{{name}|}} with what stands there then"
            elif not attribute.required and name not in required and not has_other:
                yield f"{key}.{language}", f"{name!r} may be missing: write {{{name}|}} with what stands there then"


def find_bad_units(pack: Pack) -> Iterator[tuple[str, str]]:
    """What is wrong in the words for units: key and reason."""
    owners: dict[str, str] = {}
    for code, words in pack.units.items():
        if code not in UNITS:
            yield f"units.{code}", "is not known"
        for word in (code, *words):
            if owners.setdefault(fold_name(word), code) != code:
                yield f"units.{code}", f"{word!r} is {owners[fold_name(word)]} already"


def find_bad_certificate(pack: Pack) -> Iterator[tuple[str, str]]:
    """What is wrong in the rule of certificates: key and reason."""
    if (rule := pack.certificate) is None:
        return
    for key, name, kind in (
        ("number", rule.number, "identifier"),
        ("batch", rule.batch, "identifier"),
        ("type", rule.type, "choice"),
    ):
        if name not in pack.by_name:
            yield f"certificate.{key}", f"there is no attribute {name!r}"
        elif pack.by_name[name].type != kind:
            yield f"certificate.{key}", f"{name!r} is not of the type {kind}"
