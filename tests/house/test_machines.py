"""Every state machine: all pairs of state and move, reachability, ways out, deadlines."""

from __future__ import annotations

import pytest

from chassis.database import Model
from chassis.states import IllegalMove, Stateful
from infra.assembly import load_services


def _machines() -> list[type[Stateful]]:
    load_services()
    ours = ("chassis.", "services.")
    found = [model for model in _below(Model) if issubclass(model, Stateful) and model.__module__.startswith(ours)]
    return sorted(set(found), key=lambda model: (model.__module__, model.__name__))


def _below(model: type) -> list[type]:
    return [each for child in model.__subclasses__() for each in (child, *_below(child))]


MACHINES = _machines()


def _states(machine: type[Stateful]) -> type:
    return type(machine.initial)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.__name__)
def test_each_pair_of_state_and_move_is_allowed_by_the_table_or_refused_unchanged(machine: type[Stateful]) -> None:
    for state in _states(machine):
        for name, move in machine.moves.items():
            thing = machine.__new__(machine)
            thing.__init__(state=state)
            assert thing.can(name) == (state in move.from_states)
            if thing.can(name):
                thing.move(name)
                assert thing.state == move.to
            else:
                with pytest.raises(IllegalMove):
                    thing.move(name)
                assert thing.state == state


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.__name__)
def test_every_state_is_reached_and_every_non_final_one_has_a_way_out(machine: type[Stateful]) -> None:
    reached, grown = {machine.initial}, True
    while grown:
        grown = {move.to for move in machine.moves.values() if move.from_states & reached} - reached
        reached |= grown
    assert reached == set(_states(machine))
    left = {state for move in machine.moves.values() for state in move.from_states if move.to != state}
    assert set(_states(machine)) - machine.final == left
    assert not machine.final & left


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.__name__)
def test_waiting_states_have_an_indexed_deadline_and_a_timer(machine: type[Stateful]) -> None:
    if not machine.waits:
        return
    assert not machine.waits & machine.final
    indexed = {column.name for index in machine.__table__.indexes for column in index.columns}
    assert "due_at" in indexed, f"{machine.__name__}.due_at is not indexed"
    timed = {model for service in load_services() for model in service.timers}
    assert machine in timed, f"{machine.__name__} waits, but nobody looks at its deadline"
