"""What all objects of the sandbox share: ids, a clock (which a test may advance), finding, expanding, lists."""

import secrets
import time
from collections.abc import Callable
from typing import Any

from infra.stripe_sandbox.errors import BadParameter, Missing
from infra.stripe_sandbox.parameters import Params, accept, integer, moments, text
from infra.stripe_sandbox.store import Object, Store

API_VERSION = "2026-10-28.endive"
PLATFORM = "platform"
TABLES = {
    "pi": "payment_intents",
    "ch": "charges",
    "py": "charges",
    "re": "refunds",
    "tr": "transfers",
    "trr": "transfer_reversals",
    "dp": "disputes",
    "po": "payouts",
    "txn": "balance_transactions",
    "evt": "events",
    "acct": "accounts",
}
KINDS = {
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "transfers": "transfer",
    "transfer_reversals": "transfer_reversal",
    "disputes": "dispute",
    "payouts": "payout",
    "balance_transactions": "balance_transaction",
    "events": "event",
    "accounts": "account",
}
KNOW_THEIR_MODE = ("pi", "ch", "dp", "tr", "po", "evt")
COME_LATER = ("failure_balance_transaction",)
"""Members that an object has only once something has happened to it: they may be asked for before."""
MAX_PAGE = 100
MAX_EXPANDS = 20


def now(store: Store) -> int:
    """The sandbox's time in whole seconds: the machine's plus what was advanced."""
    advanced = store.get("clock", "clock")
    return int(time.time()) + (advanced["seconds"] if advanced else 0)


def advance(store: Store, seconds: int) -> None:
    """Let the sandbox's clock run ahead by some more seconds."""
    advanced = store.get("clock", "clock") or {"id": "clock", "seconds": 0}
    store.put("clock", {**advanced, "seconds": advanced["seconds"] + seconds})


def new_id(prefix: str) -> str:
    """An id like Stripe's: what it is, an underscore, and random digits."""
    return f"{prefix}_{secrets.token_hex(12)}"


def fresh(store: Store, prefix: str, **members: Any) -> Object:
    """A new object of a kind, with what every object has. Not stored yet."""
    mode = {"livemode": False} if prefix in KNOW_THEIR_MODE else {}
    return {"id": new_id(prefix), "object": KINDS[TABLES[prefix]], "created": now(store), **mode, **members}


def find(store: Store, table: str, key: str, *, param: str | None = None) -> Object:
    """The object. Raises Missing: 404 from the path, 400 when ``param`` names the parameter that held the id."""
    row = store.get(table, key)
    if row is None:
        raise Missing(KINDS[table], key, param=param or "id", status=400 if param else 404)
    return row


def shown(store: Store, row: Object, expand: list[str]) -> Object:
    """The object as the API shows it: private members (``_account``) left out, asked-for ids replaced by objects."""
    if len(expand) > MAX_EXPANDS:
        raise BadParameter("Too many expansions", param="expand")
    plain = _public(_dated(store, row))
    for path in expand:
        _expand(store, plain, path.split("."))
    return plain


def page(
    store: Store, table: str, params: Params, keep: Callable[[Object], bool] = lambda row: True, **filters: Any
) -> Object:
    """A list page, newest first: limit (1..100, 10), starting_after, ending_before, created and own filters."""
    common = {"limit": integer, "starting_after": text, "ending_before": text, "created": moments}
    asked = accept(params, **common, **filters)
    limit = 10 if asked["limit"] is None else asked["limit"]
    if not 1 <= limit <= MAX_PAGE:
        raise BadParameter("Invalid limit: must be between 1 and 100", param="limit")
    rows = [row for row in store.newest_first(table) if keep(row) and _matches(row, asked, filters)]
    rows, has_more = _window(store, table, rows, asked, limit)
    return {"object": "list", "url": f"/v1/{table}", "has_more": has_more, "data": rows}


def _window(store: Store, table: str, rows: list[Object], asked: Params, limit: int) -> tuple[list[Object], bool]:
    ids = [row["id"] for row in rows]
    if asked["starting_after"]:
        find(store, table, asked["starting_after"], param="starting_after")
        rows = rows[ids.index(asked["starting_after"]) + 1 :] if asked["starting_after"] in ids else []
    if asked["ending_before"]:
        find(store, table, asked["ending_before"], param="ending_before")
        newer = rows[: ids.index(asked["ending_before"])] if asked["ending_before"] in ids else []
        return newer[-limit:], len(newer) > limit
    return rows[:limit], len(rows) > limit


def _matches(row: Object, asked: Params, filters: Params) -> bool:
    tests = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
    if not all(tests[bound](row["created"], moment) for bound, moment in (asked["created"] or {}).items()):
        return False
    for name in filters:
        wanted = asked[name]
        if name == "types":
            if wanted is not None and row["type"] not in wanted:
                return False
        elif wanted is not None and row[name] != wanted:
            return False
    return True


def _dated(store: Store, row: Object) -> Object:
    """Balance transactions become available by the passing of time alone."""
    if row.get("object") == "list":
        return {**row, "data": [_dated(store, item) for item in row["data"]]}
    if row.get("object") != "balance_transaction":
        return row
    return {**row, "status": "available" if row["available_on"] <= now(store) else "pending"}


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _public(item) for key, item in value.items() if not key.startswith("_")}
    return [_public(item) for item in value] if isinstance(value, list) else value


def _expand(store: Store, row: Any, path: list[str]) -> None:
    if isinstance(row, list):
        for item in row:
            _expand(store, item, path)
        return
    if not path or not isinstance(row, dict):
        return
    name = path[0]
    if name not in row and name in COME_LATER:
        return
    if name not in row:
        raise BadParameter(f"This property cannot be expanded ({name}).", param="expand")
    if isinstance(row[name], str):
        table = TABLES.get(row[name].partition("_")[0])
        if table is None:
            raise BadParameter(f"This property cannot be expanded ({name}).", param="expand")
        row[name] = _public(_dated(store, find(store, table, row[name])))
    _expand(store, row[name], path[1:])
