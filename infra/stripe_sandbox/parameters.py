"""Reading a request as Stripe does: fields with brackets become nested values, an endpoint names what it accepts."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from infra.stripe_sandbox.errors import BadParameter

Params = dict[str, Any]
Kind = Callable[[str, Any], Any]
MAX_AMOUNT = 99_999_999
MAX_FIELDS = 500
MAX_DEPTH = 5
MINIMUM = {"usd": 50, "eur": 50, "gbp": 30, "cny": 400, "hkd": 400, "jpy": 50, "sgd": 50, "chf": 50}


def read_form(fields: Iterable[tuple[str, str]]) -> Params:
    """``a[b]=1&c[]=2&c[]=3&d[0][e]=4`` as ``{a: {b: "1"}, c: ["2", "3"], d: [{e: "4"}]}``."""
    root: Params = {}
    for count, (name, value) in enumerate(fields):
        path = re.findall(r"[^\[\]]+|\[\]", name)
        if not path or count >= MAX_FIELDS or len(path) > MAX_DEPTH:
            raise BadParameter(f"Invalid parameter: {name[:100]}", param=name[:100])
        _place(root, name, [str(count) if step == "[]" else step for step in path], value)
    return {name: _as_lists(value) for name, value in root.items()}


def accept(params: Params, /, required: tuple[str, ...] = (), **kinds: Kind) -> Params:
    """The parameters by their kinds; those not sent are None. Raises BadParameter for what is odd."""
    for name in params.keys() - kinds.keys() - {"expand"}:
        raise BadParameter(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    for name in required:
        if params.get(name) in (None, ""):
            raise BadParameter(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return {name: kind(name, params[name]) if name in params else None for name, kind in kinds.items()}


def text(name: str, value: Any) -> str:
    """A string of at most 5,000 characters."""
    if not isinstance(value, str) or len(value) > 5_000:
        raise BadParameter(f"Invalid string: {name}", param=name)
    return value


def one_of(*allowed: str) -> Kind:
    """One word of some."""

    def kind(name: str, value: Any) -> str:
        if value not in allowed:
            raise BadParameter(f"Invalid {name}: must be one of {', '.join(allowed)}", param=name)
        return value

    return kind


def integer(name: str, value: Any) -> int:
    """A whole number in plain digits."""
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise BadParameter(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    return int(value)


def amount(name: str, value: Any) -> int:
    """Minor units, 1 to Stripe's largest amount."""
    number = integer(name, value)
    if number < 1:
        raise BadParameter(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=name
        )
    if number > MAX_AMOUNT:
        raise BadParameter("Amount must be no more than 999,999.99", code="amount_too_large", param=name)
    return number


def currency(name: str, value: Any) -> str:
    """A currency that the sandbox takes, lower case."""
    if not isinstance(value, str) or value.lower() not in MINIMUM:
        raise BadParameter(f"Invalid currency: {value}", param=name)
    return value.lower()


def boolean(name: str, value: Any) -> bool:
    """true or false."""
    if value not in ("true", "false"):
        raise BadParameter(f"Invalid boolean: {value}", param=name)
    return value == "true"


def metadata(name: str, value: Any) -> dict[str, str]:
    """At most 50 names with strings of at most 500 characters."""
    if (
        not isinstance(value, dict)
        or len(value) > 50
        or any(not isinstance(v, str) or len(v) > 500 for v in value.values())
    ):
        raise BadParameter(f"Invalid metadata: {name}", param=name)
    return value


def texts(name: str, value: Any) -> list[str]:
    """A list of strings."""
    if not isinstance(value, list) or any(not isinstance(item, str) for item in value):
        raise BadParameter(f"Invalid array: {name}", param=name)
    return value


def moments(name: str, value: Any) -> dict[str, int]:
    """``created=1`` or ``created[gte]=1&created[lt]=2`` as bounds."""
    bounds = value if isinstance(value, dict) else {"gte": value, "lte": value}
    if bounds.keys() - {"gt", "gte", "lt", "lte"}:
        raise BadParameter(f"Invalid range: {name}", param=name)
    return {bound: integer(name, moment) for bound, moment in bounds.items()}


def _place(root: Params, name: str, path: list[str], value: str) -> None:
    here = root
    for step in path[:-1]:
        here = here.setdefault(step, {})
        if not isinstance(here, dict):
            raise BadParameter(f"Invalid parameter: {name}", param=name)
    here[path[-1]] = value


def _as_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _as_lists(item) for key, item in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
