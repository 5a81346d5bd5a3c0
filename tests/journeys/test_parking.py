"""A message that cannot be handled: its key alone is set aside, and after the mend all is as if nothing had happened."""

from __future__ import annotations

from typing import Any

import pytest

from infra.dead_letters import StillFails, list_keys, replay_key
from services.orders.deals import deliveries
from tests.journeys.conftest import make_trade
from tests.journeys.town import Town
from tests.world import Crash, World

TRUCKS = 10
SERVICES = ("orders", "settlement", "logistics", "catalog")
OF_THE_CHASSIS = {"outbox", "inbox", "idempotency", "heartbeat", "parked_key", "parked_message", "errand"}
DRAWN = {"code", "id", "journal_id", "statement_id", "last_journal_id", "number", "balance"}
"""What is drawn from a counter when a row is made, and so depends on which key was handled first."""


def make_town(world: World) -> Town:
    town = make_trade(world, kind=Town)
    town.world = world
    town.settle_in()
    return town


def send_trucks(town: Town, deal: dict[str, Any]) -> list[str]:
    """Ten trucks with a coil each; logistics tells of them, and nobody has heard it yet."""
    notes = [town.issue_note(deal["id"], piece_ids=[piece["piece_id"]]) for piece in deal["pieces"]]
    town.world.broker.hold_back("logistics")
    gate = town.known["gate"]["id"]
    shown = [{"note_id": note["id"], "code": note["code"], "gate_id": gate} for note in notes]
    sent = [town.warehouse.desk.post("/v1/deliveries", each)["id"] for each in shown]
    town.world.broker.release("logistics")
    return sent


def finish(town: Town, deal: dict[str, Any], trucks: list[str]) -> None:
    """Every truck leaves, is weighed at both ends and accepted."""
    town.world.settle()
    for truck in trucks:
        town.warehouse.desk.post(f"/v1/deliveries/{truck}/tickets", ticket(town, "loading"))
        town.warehouse.desk.post(f"/v1/deliveries/{truck}/depart", {"reason": "no gate"})
        town.buyer.desk.post(f"/v1/deliveries/{truck}/tickets", ticket(town, "receiving"))
    town.world.settle()
    for truck in trucks:
        town.buyer.desk.post(f"/v1/deals/{deal['id']}/deliveries/{truck}/accept")
    town.world.settle()
    assert town.deal(deal["id"])["state"] == "completed"
    assert town.world.broken() == {}


def ticket(town: Town, end: str) -> dict[str, Any]:
    weights = {"gross": "25000", "tare": "15000", "net": "10000"}
    said = {name: {"value": value, "unit": "KGM"} for name, value in weights.items()}
    return {"end": end, "scale": "1", "plate": "津A·1", "weighed_at": town.now().isoformat(), **said}


def rows_of(world: World) -> dict[str, list[str]]:
    """All that the services have written down, but for what a counter drew."""
    found = {}
    for service in SERVICES:
        tables = world.sql(service, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables:
            if table in OF_THE_CHASSIS:
                continue
            drawn = ", ".join(f"'{name}'" for name in sorted(DRAWN))
            rows = world.sql(service, f'SELECT (to_jsonb(t) - ARRAY[{drawn}])::text FROM "{table}" t')
            found[f"{service}.{table}"] = sorted(row[0] for row in rows)
    return found


@pytest.fixture
def undisturbed(built_world: World) -> dict[str, list[str]]:
    """The rows of a run in which nothing went wrong."""
    with built_world.at():
        built_world.begin()
        town = make_town(built_world)
        deal = town.make_paid(*[10_000] * TRUCKS)
        finish(town, deal, send_trucks(town, deal))
        return rows_of(built_world)


def test_a_run_with_a_parked_message_ends_like_any_other(
    undisturbed: dict[str, list[str]], built_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Message 3 of 10 kills its worker and then fails; the worker is killed again, mended, and the key replayed."""
    world = built_world
    with world.at():
        world.begin()
        town = make_town(world)
        deal = town.make_paid(*[10_000] * TRUCKS)
        trucks = send_trucks(town, deal)
        deaths = []
        works = deliveries.start_delivery

        def fail_at_the_third(session: Any, caller: Any, deal_id: str, delivery_id: str, **more: Any) -> None:
            if delivery_id == trucks[2]:
                if not deaths:
                    deaths.append(delivery_id)
                    raise Crash
                raise RuntimeError("the third truck is one too many")
            works(session, caller, deal_id, delivery_id, **more)

        monkeypatch.setattr(deliveries, "start_delivery", fail_at_the_third)
        world.settle()
        database, service = world.databases["orders"], world.services["orders"]
        (parked,) = list_keys(database)
        assert (parked["topic"], parked["key"], parked["messages"]) == ("logistics", deal["id"], TRUCKS - 2)
        assert "one too many" in parked["reason"] and parked["due_at"] is None and deaths
        assert len(town.deal(deal["id"])["deliveries"]) == 2

        place = ("orders", "logistics", deal["id"])
        world.start(world.broker)
        with pytest.raises(StillFails):
            replay_key(service, database, *place, who="operator", why="too early")
        assert list_keys(database) == [parked]
        monkeypatch.undo()
        assert replay_key(service, database, *place, who="operator", why="mended") == TRUCKS - 2
        assert list_keys(database) == []
        finish(town, deal, trucks)
        assert rows_of(world) == undisturbed
        world.rest()


def test_other_keys_go_on_while_one_is_parked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    town = make_town(world)
    one, other = town.make_paid(10_000), town.make_paid(10_000)
    works = deliveries.start_delivery

    def fail_for_one(session: Any, caller: Any, deal_id: str, delivery_id: str, **more: Any) -> None:
        if deal_id == one["id"]:
            raise RuntimeError("not this one")
        works(session, caller, deal_id, delivery_id, **more)

    monkeypatch.setattr(deliveries, "start_delivery", fail_for_one)
    trucks = send_trucks(town, one)
    finish(town, other, send_trucks(town, other))
    monkeypatch.undo()
    replay_key(world.services["orders"], world.databases["orders"], "orders", "logistics", one["id"], who="x", why="y")
    finish(town, one, trucks)
