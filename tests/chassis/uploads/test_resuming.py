"""Whatever dies at whatever time, and however a file is cut: the end is the same, nothing twice, nothing lost."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chassis.brokers.memory import MemoryBroker
from chassis.uploads import job, loop
from chassis.uploads.writers import write_table
from chassis.worker import Context, make_loops
from tests.chassis.uploads.conftest import HEADING, Library, Shelf, counts

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["A-1", "A-2", "A-3", "A-4", "A-5", "A 6", "", "合计"]),
        st.sampled_from(["红楼梦", "西游记", "forbidden", "", "x" * 61]),
        st.sampled_from(["1", "2.50", "x", ""]),
        st.sampled_from(["一层", "", "红楼梦"]),
    ),
    min_size=1,
    max_size=14,
)


def end_state(books: Library, id: str) -> dict[str, Any]:
    """All that an upload left behind."""
    upload = books.see(id)
    told = [(each["number"], each["version"]) for each in map(json.loads, books.told())]
    return {
        "counts": counts(upload), "state": upload["state"], "errors": books.errors(id), "books": books.books(),
        "told": sorted(told), "totals": upload["totals_differing"],
    }  # fmt: skip


def run(shelf: Shelf, body: bytes, cuts: tuple[int, ...], seed: int | None, batch: int) -> dict[str, Any]:
    """Send, check and apply a file in an empty library, under a rain of deaths if a seed says so."""
    job.BATCH = batch
    with shelf.at():
        shelf.begin(MemoryBroker())
        books = Library(shelf)
        id = books.upload(body, cuts=cuts)
        for move in ("check", "apply"):
            if books.move(id, move).status != 202:
                continue
            if seed is None:
                shelf.settle()
            else:
                with shelf.crash_often(seed):
                    shelf.settle()
        return end_state(books, id)


@pytest.fixture
def batch_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "BATCH", job.BATCH)
    monkeypatch.setattr(loop, "MAX_ATTEMPTS", 1_000)


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ROWS, st.sampled_from(["csv", "xlsx", "jsonl"]), st.integers(0, 2**20), st.integers(1, 6))
def test_any_cut_and_any_death_end_the_same(
    shelf: Shelf, batch_kept: None, rows: list[tuple[str, ...]], format: Any, seed: int, batch: int
) -> None:
    body = b"".join(write_table(format, HEADING.split(","), rows, numbers=(False, False, True, False)))
    draw = random.Random(seed)
    cuts = tuple(draw.randrange(1, max(2, len(body))) for _ in range(draw.randrange(4)))
    assert run(shelf, body, cuts, seed, batch) == run(shelf, body, (), None, 1_000)


def test_two_workers_at_one_upload_take_each_row_in_once(books: Library) -> None:
    body = b"".join(write_table("csv", HEADING.split(","), [(f"A-{n}", "t", "1", "") for n in range(10)]))
    id = books.upload(body)
    books.move(id, "apply").ok()
    world = books.world
    context = Context(
        world.services["library"], world.databases["library"], world.broker, world.settings("library"), "b"
    )
    first, second = world.loops["library", "uploads"], make_loops(context)["uploads"]
    assert first.step() == 1 and second.step() == 0
    world.sql("library", "UPDATE upload SET leased_until = now() - interval '1 year'")
    while second.step() | first.step():
        pass
    assert counts(books.see(id)) == (10, 10, 0, 0, 0) and len(books.books()) == len(books.told()) == 10
    second.close()


def test_an_upload_that_never_gets_further_is_given_up(books: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    good = books.upload(b"".join(write_table("csv", HEADING.split(","), [("A-1", "t", "1", "")])))
    bad = books.upload(b"".join(write_table("csv", HEADING.split(","), [("A-2", "die", "1", "")])))
    real = job.Job._take_in

    def take_in(self: Any, checked: Any, last_row: int) -> None:
        if any(values["title"] == "die" for _, values in checked.rows):
            raise RuntimeError("a bug")
        real(self, checked, last_row)

    monkeypatch.setattr(job.Job, "_take_in", take_in)
    for id in (bad, good):
        books.move(id, "apply").ok()
    for _ in range(30):
        try:
            books.world.settle()
        except RuntimeError:
            continue
        break
    given_up = books.see(bad)
    assert (given_up["state"], given_up["rows"]) == ("refused", 0)
    assert given_up["reason"] == "the file could not be processed; the operator has been told"
    assert books.see(good)["state"] == "applied" and list(books.books()) == ["A-1"]
