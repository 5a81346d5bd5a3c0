"""How much a benchmark does: everything that it repeats has its count here, and its seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """``rounds`` of each side; a round of HTTP lasts ``seconds``, the others have counts.

    ``traders`` are pairs of a mill and a buyer; clients are dealt out to them, each client with an offer of its own.
    ``offers`` are in the catalog, made of so many ``templates``, and each question is ``asked`` so often. A file of
    products has so many ``rows``. ``deliveries`` are settled in a round, by ``settlers`` clients, each with a deal of its own.
    """

    name: str
    rounds: int = 5
    seconds: float = 2.0
    deal_rounds: int = 3
    deal_seconds: float = 3.0
    clients: tuple[int, ...] = (1, 8, 16)
    traders: int = 8
    deliveries: int = 64
    settlers: int = 8
    transfers: int = 6_400
    batches: int = 20
    events: int = 6_000
    timeout_s: float = 60.0
    rows: int = 100_000
    offers: tuple[int, ...] = (100_000, 1_000_000)
    templates: int = 20_000
    asked: int = 100


FULL = Plan("full")
QUICK = Plan(
    "quick",
    rounds=3,
    seconds=0.7,
    deal_rounds=2,
    deal_seconds=1.0,
    traders=4,
    deliveries=24,
    transfers=3_200,
    batches=8,
    events=3_000,
    rows=10_000,
    offers=(5_000,),
    templates=1_000,
    asked=10,
)
