"""The mistakes that a market pack makes in its product forms, titles, words for units and rule of certificates."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chassis.values import UNITS
from services.catalog.markets.pack import Bilingual, Form, Pack
from services.catalog.markets.texts import fold_name
from services.catalog.markets.theory import find_bad_theory


def find_bad_forms(pack: Pack) -> Iterator[tuple[str, str]]:
    """What is wrong in product forms: key and reason."""
    owners: dict[tuple[str, str], str] = {}
    for i, form in enumerate(pack.forms):
        yield from ((f"forms[{i}].{key}", reason) for key, reason in _find_bad_form(pack, form))
        for code in form.codes:
            if owners.setdefault((form.attribute, code), form.name) != form.name:
                yield f"forms[{i}].codes", f"{code!r} is of the form {owners[form.attribute, code]!r} already"
        yield from find_bad_titles(pack, f"forms[{i}].title", form.title, form.requires)
    if len({form.name for form in pack.forms}) < len(pack.forms):
        yield "forms", "a name stands twice"


def _find_bad_form(pack: Pack, form: Form) -> Iterator[tuple[str, str]]:
    attribute = pack.by_name.get(form.attribute)
    if attribute is None or attribute.type != "choice":
        yield "attribute", f"{form.attribute!r} is not a choice of this market"
        return
    for code in form.codes:
        if pack.choice_of(attribute, code) is None:
            yield "codes", f"{code!r} is not one of {attribute.choices}"
    for name in form.requires:
        if name not in pack.by_name:
            yield "requires", f"there is no attribute {name!r}"
    if form.theoretical:
        yield from ((f"theoretical.{key}", reason) for key, reason in find_bad_theory(form.theoretical, pack.by_name))


def find_bad_titles(pack: Pack, key: str, title: Bilingual, required: Collection[str]) -> Iterator[tuple[str, str]]:
    """What is wrong in a title whose pieces have what every piece has and what is ``required`` besides."""
    for language in ("zh", "en"):
        for name, has_other in pack.placeholders(getattr(title, language)):
            attribute = pack.by_name.get(name)
            if attribute is None:
                yield f"{key}.{language}", f"there is no attribute {name!r}"
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
