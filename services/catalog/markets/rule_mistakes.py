"""The mistakes that a market pack makes in its rules: papers, licences, carriage, deductions, ways to trade, moderation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from services.catalog.markets.pack import Pack
from services.catalog.markets.rules import CancellationPolicy, CarriageRule, Deduction, LicenceRule, Mode
from services.catalog.markets.words import NumberLimits, When

Mistakes = Iterator[tuple[str, str]]
_PERCENTS = ("deposit_percent", "step_percent", "price_weight")
PARAMETERS = {
    "listing": (),
    "inquiry": ("validity_hours", "suppliers"),
    "english_auction": ("deposit_percent", "step_percent", "extend_minutes", "bidders", "duration_hours"),
    "reverse_auction": ("deposit_percent", "step_percent", "extend_minutes", "bidders", "duration_hours"),
    "tender": ("deposit_percent", "duration_hours", "bidders", "price_weight", "stages"),
    "forward": ("deposit_percent", "bands", "stages", "validity_hours"),
    "booking": ("hold_minutes", "cutoff_hours", "cancellation"),
    "cart": ("return_days",),
    "freight": ("validity_hours", "deposit_percent"),
}


def find_bad_rules(pack: Pack) -> Mistakes:
    """What is wrong in rules: key and reason. Each is named once and by some product type."""
    for kind in ("documents", "licences", "carriage", "deductions"):
        rules: Sequence[Any] = getattr(pack, kind)
        known = {rule.name for rule in rules}
        if len(known) < len(rules):
            yield kind, "a name stands twice"
        for i, type in enumerate(pack.types):
            yield from (
                (f"types[{i}].{kind}", f"there is no rule {name!r}")
                for name in getattr(type, kind)
                if name not in known
            )
        for i, rule in enumerate(rules):
            if not any(rule.name in getattr(type, kind) for type in pack.types):
                yield f"{kind}[{i}]", f"no product type names {rule.name!r}"
            yield from _find_bad_when(pack, f"{kind}[{i}].when", rule.when)
    for i, document in enumerate(pack.documents):
        if document.types and document.types not in pack.choices:
            yield f"documents[{i}].types", f"there is no list {document.types!r}"
    for i, licence in enumerate(pack.licences):
        yield from _find_bad_licence(pack, f"licences[{i}]", licence)
    for i, carriage in enumerate(pack.carriage):
        yield from _find_bad_carriage(pack, f"carriage[{i}]", carriage)
    for i, deduction in enumerate(pack.deductions):
        yield from _find_bad_deduction(pack, f"deductions[{i}]", deduction)


def _find_bad_when(pack: Pack, key: str, when: When | None) -> Mistakes:
    if when is None:
        return
    if (attribute := pack.by_name.get(when.attribute)) is None:
        yield f"{key}.attribute", f"there is no attribute {when.attribute!r}"
        return
    for code in when.codes:
        try:
            kept = pack.check(attribute, code)
        except ValueError as error:
            yield f"{key}.codes", f"{code!r} {error}"
        else:
            if kept != code:
                yield f"{key}.codes", f"{code!r} is kept as {kept!r}: write that"


def _find_bad_licence(pack: Pack, key: str, rule: LicenceRule) -> Mistakes:
    if rule.scope and rule.scope not in pack.by_name:
        yield f"{key}.scope", f"there is no attribute {rule.scope!r}"
    if len(set(rule.held_by)) < len(rule.held_by):
        yield f"{key}.held_by", "a side stands twice"
    if rule.hides and "buyer" not in rule.held_by:
        yield f"{key}.hides", "goods are hidden from buyers without the licence: a buyer must hold it"


def _find_bad_carriage(pack: Pack, key: str, rule: CarriageRule) -> Mistakes:
    for part, type in (("hazard", "text"), ("expiry", "date")):
        name = getattr(rule, part)
        if name and name not in pack.by_name:
            yield f"{key}.{part}", f"there is no attribute {name!r}"
        elif name and type == "date" and pack.by_name[name].type != "date":
            yield f"{key}.{part}", f"{name!r} is not a date"
    if rule.hazard in pack.by_name and pack.by_name[rule.hazard or ""].check != "un_number":
        yield f"{key}.hazard", f"{rule.hazard!r} does not have the check un_number"
    if rule.temperature and rule.temperature.least >= rule.temperature.most:
        yield f"{key}.temperature.least", "is not less than most"
    if (rule.fefo or rule.expiry_floor_days is not None) and not rule.expiry:
        yield f"{key}.expiry", "state the attribute that has the date of expiry"


def _find_bad_deduction(pack: Pack, key: str, table: Deduction) -> Mistakes:
    attribute = pack.by_name.get(table.attribute)
    if attribute is None or attribute.type != "number":
        yield f"{key}.attribute", f"{table.attribute!r} is not a number of this market"
    sign = 1 if table.direction == "above" else -1
    reached = None
    for i, step in enumerate(table.steps):
        here = f"{key}.steps[{i}]"
        if not 0 < step.percent <= 100:
            yield f"{here}.percent", "is not between 0 and 100 per cent"
        if step.each is not None and step.each <= 0:
            yield f"{here}.each", "is not more than 0"
        if reached is not None and sign * step.beyond < sign * reached:
            yield f"{here}.beyond", "is inside the step before"
        if step.up_to is None and i < len(table.steps) - 1:
            yield f"{here}.up_to", "only the last step has no end"
        if step.up_to is not None and sign * step.up_to <= sign * step.beyond:
            yield f"{here}.up_to", f"is not {table.direction} where the step begins"
        reached = step.up_to if step.up_to is not None else step.beyond
    if table.reject is not None and sign * table.reject < sign * table.steps[0].beyond:
        yield f"{key}.reject", "is better than where deductions begin"


def find_bad_modes(pack: Pack) -> Mistakes:
    """What is wrong in the ways to trade and in moderation: key and reason."""
    types = {type.name for type in pack.types}
    seen: set[tuple[str, str]] = set()
    for i, mode in enumerate(pack.modes):
        key = f"modes[{i}]"
        yield from ((f"{key}.types", f"there is no product type {name!r}") for name in mode.types if name not in types)
        for name in mode.types or sorted(types):
            if (mode.mode, name) in seen:
                yield key, f"{mode.mode} of {name!r} stands already"
            seen.add((mode.mode, name))
        yield from ((f"{key}.{part}", reason) for part, reason in _find_bad_mode(mode))
    for name in pack.moderation.types if pack.moderation else ():
        if name not in types:
            yield "moderation.types", f"there is no product type {name!r}"


def _find_bad_mode(mode: Mode) -> Mistakes:
    for name in mode.__struct_fields__[2:]:
        value = getattr(mode, name)
        if value and name not in PARAMETERS[mode.mode]:
            yield name, f"is not a parameter of {mode.mode}"
        elif isinstance(value, NumberLimits):
            most = 100 if name in _PERCENTS else None
            if not 0 <= value.least <= value.default <= value.most:
                yield name, "is not 0 <= least <= default <= most"
            elif most is not None and value.most > most:
                yield f"{name}.most", "is more than 100 per cent"
    if mode.stages and sum(stage.percent for stage in mode.stages) != 100:
        yield "stages", "do not come to 100 per cent"
    for i, stage in enumerate(mode.stages):
        if stage.percent <= 0:
            yield f"stages[{i}].percent", "is not more than 0"
    for i, band in enumerate(mode.bands):
        if not 0 < band.base_percent <= 100 or not 0 <= band.outer_percent <= 100:
            yield f"bands[{i}]", "is not between 0 and 100 per cent"
    if len({policy.name for policy in mode.cancellation}) < len(mode.cancellation):
        yield "cancellation", "a name stands twice"
    for i, policy in enumerate(mode.cancellation):
        yield from ((f"cancellation[{i}].{part}", reason) for part, reason in _find_bad_policy(policy))


def _find_bad_policy(policy: CancellationPolicy) -> Mistakes:
    hours = [refund.hours_before for refund in policy.refunds]
    if hours != sorted(set(hours), reverse=True):
        yield "refunds", "the hours do not fall from row to row"
    percents = [refund.percent for refund in policy.refunds]
    if percents != sorted(percents, reverse=True):
        yield "refunds", "who cancels later gets more back"
    if any(not 0 <= percent <= 100 for percent in percents):
        yield "refunds", "is not between 0 and 100 per cent"
