"""State machines as tables: a move is a named change of state, and nothing else assigns ``state``."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from chassis.problems import Conflict


class IllegalMove(Conflict):
    """The thing is not in a state in which this can be done."""


class Move:
    """From any of some states to one."""

    __slots__ = ("from_states", "to")

    def __init__(self, *from_states: StrEnum, to: StrEnum) -> None:
        self.from_states = frozenset(from_states)
        self.to = to


class Stateful:
    """A model with a machine: ``moves`` is the whole table, ``waits`` the states that have a deadline in ``due_at``."""

    moves: ClassVar[dict[str, Move]]
    initial: ClassVar[StrEnum]
    final: ClassVar[frozenset[StrEnum]]
    waits: ClassVar[frozenset[StrEnum]] = frozenset()
    state: Any

    def can(self, name: str) -> bool:
        """Whether the table allows the move now."""
        return self.state in self.moves[name].from_states

    def move(self, name: str) -> None:
        """Make a move. Raises IllegalMove, and changes nothing, when the table says no."""
        move = self.moves[name]
        if self.state not in move.from_states:
            raise IllegalMove(
                f"cannot {name.replace('_', ' ')} while {self.state}",
                state=str(self.state),
                allowed=sorted(str(state) for state in move.from_states),
            )
        self.state = move.to


class _StateType(TypeDecorator[StrEnum]):
    """Stores the member's value; a row with an unknown state fails loudly when it is read."""

    impl = String
    cache_ok = True

    def __init__(self, states: type[StrEnum], length: int) -> None:
        super().__init__(length)
        self.states = states

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else str(self.states(value))

    def process_result_value(self, value: str | None, dialect: Any) -> StrEnum | None:
        return None if value is None else self.states(value)


def state_column(states: type[StrEnum], length: int = 32, **options: Any) -> Mapped[Any]:
    """A text column that holds a state."""
    return mapped_column(_StateType(states, length), **options)


def draw(model: type[Stateful]) -> Iterator[str]:
    """The machine as lines of a Mermaid state diagram, for ``docs/states.md``."""
    yield "stateDiagram-v2"
    yield f"    [*] --> {model.initial}"
    for name, move in model.moves.items():
        for origin in sorted(move.from_states):
            yield f"    {origin} --> {move.to}: {name}"
    for state in sorted(model.final):
        yield f"    {state} --> [*]"
