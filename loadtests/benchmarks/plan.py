"""How much a benchmark does: everything that it repeats has its count here, and its seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """``rounds`` of each side; a round of HTTP lasts ``seconds``, the others have counts.

    ``traders`` are pairs of a mill and a buyer; clients are dealt out to them, each client with an offer of its own.
    ``offers`` are in the catalog, made of so many ``templates``, and each question is ``asked`` so often; so many are ``followed``
    from the listing until the search shows them. A file of
    products has so many ``rows``. ``deliveries`` are settled in a round, by ``settlers`` clients, each with a deal of its own.

    Readers read for ``read_seconds``, a tenth of it up to ``latest_s`` late, then all that they held comes in ``burst_seconds``;
    accuracy is over so many ``seeds``. So many ``captures`` are made of 500 EPCIS events each, single events are posted for
    ``posted_seconds``; one EPC has events among so many that are ``kept``; a ``chain`` of so many items is traced.
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
    followed: int = 40
    read_seconds: float = 600.0
    burst_seconds: float = 60.0
    latest_s: float = 300.0
    seeds: int = 5
    captures: int = 40
    posted_seconds: float = 30.0
    kept: tuple[int, ...] = (1_000_000, 10_000_000)
    chain: int = 10_000


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
    followed=10,
    read_seconds=30.0,
    burst_seconds=5.0,
    latest_s=10.0,
    seeds=1,
    captures=6,
    posted_seconds=5.0,
    kept=(50_000,),
    chain=1_000,
)
