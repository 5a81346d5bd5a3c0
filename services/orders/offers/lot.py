"""How much of an offer is left and in which parts it may be taken (TRADE.md 3.1)."""

from __future__ import annotations

import msgspec

from chassis.problems import Conflict, Invalid
from chassis.values import Quantity


class InsufficientQuantity(Conflict):
    """Less is left of the offer than was asked for."""


class BelowMinimum(Conflict):
    """Less than the offer's minimum would be taken, or would be left."""


class NotAStep(Conflict):
    """The quantity is neither a multiple of the offer's step nor all that is left."""


class WrongLot(Invalid):
    """The minimum and the step of an offer by weight are more than nothing and not more than the quantity."""


class Lot(msgspec.Struct, frozen=True):
    """The counters that a take is judged by; ``minimum`` and ``step`` are None where pieces are named."""

    remaining: Quantity
    minimum: Quantity | None = None
    step: Quantity | None = None

    def check(self, wanted: Quantity) -> None:
        """Whether a quantity may be taken: ``remaining.take_quantity`` says the same in SQL.

        Raises InsufficientQuantity with the remaining figure, NotAStep or BelowMinimum (TRADE.md 3.1: q ≥ minimum, q a
        multiple of the step or all that is left, and nothing or at least the minimum is left).
        """
        if not wanted:
            raise BelowMinimum("more than nothing must be taken", minimum=self.minimum, remaining=self.remaining)
        if wanted > self.remaining:
            raise InsufficientQuantity(f"{self.remaining} is left", remaining=self.remaining)
        if self.minimum is None or self.step is None or wanted.value == self.remaining.value:
            return
        if wanted < self.minimum:
            raise BelowMinimum(
                f"at least {self.minimum}, or all that is left", minimum=self.minimum, remaining=self.remaining
            )
        if wanted.value % self.step.value:
            raise NotAStep(f"a multiple of {self.step}, or all that is left", step=self.step, remaining=self.remaining)
        if self.remaining - wanted < self.minimum:
            raise BelowMinimum(
                f"{self.remaining - wanted} would be left: leave nothing or {self.minimum}",
                minimum=self.minimum,
                remaining=self.remaining,
            )


def check_lot(listed: Quantity, minimum: Quantity, step: Quantity) -> None:
    """Whether a quantity may be sold in such parts, all in one unit. Raises WrongLot, which names the field."""
    for field, said in (("minimum", minimum), ("step", step)):
        if not said or said > listed:
            raise WrongLot(f"between nothing and {listed}", field=f"$.{field}")
