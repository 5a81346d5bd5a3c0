"""Does a run, however short, tell what it should? What it measures is never asserted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from loadtests.benchmarks.parts import measure
from loadtests.benchmarks.place import Place
from loadtests.benchmarks.plan import QUICK
from loadtests.benchmarks.report import Report, write_json, write_table

TINY = replace(QUICK, rounds=1, seconds=0.1, transfers=40, batches=1, events=300, traders=1, clients=(1,), settlers=1)


def test_a_run_reports_every_figure_beside_its_reference() -> None:
    report = measure(TINY, ("route", "read", "ledger", "events"), Place())
    told = msgspec.json.decode(write_json(report))
    assert told["machine"]["cores"] >= 1 and told["seconds"] > 0
    units = {"route": ["ms"] * 3, "read": ["ms"] * 3, "ledger": ["/s"] * 2, "events": ["/s"] * 2}
    wanted = [(part, unit) for part, each in units.items() for unit in each]
    assert [(figure["part"], figure["unit"]) for figure in told["figures"]] == wanted
    assert all(
        figure[side]["median"] > 0
        for figure in told["figures"]
        for side in ("ours", "reference")
        if figure["unit"] == "/s"
    )
    assert [figure["goal"] for figure in told["figures"] if figure["part"] == "ledger"] == [
        {"of": "ours", "at_most": None, "at_least": 1500.0},
        {"of": "ours", "at_most": None, "at_least": 8000.0},
    ]
    assert msgspec.json.decode(write_json(report), type=Report) == report
    assert len(write_table(report).splitlines()) == 2 + 4 * 2 + len(report.figures)


def test_what_is_measured_is_made_where_it_is_asked_for_and_removed(tmp_path: Path) -> None:
    place = Place(tmp_path / "disk", port=4711)
    with place.make_folder() as folder:
        assert (folder.parent, folder.stat().st_mode & 0o777, place.find_port()) == (tmp_path / "disk", 0o711, 4711)
    assert list((tmp_path / "disk").iterdir()) == []


def test_an_import_is_measured_with_its_wrong_rows() -> None:
    told = msgspec.json.decode(write_json(measure(replace(TINY, rows=200), ("imports",), Place())))
    assert [(figure["part"], figure["unit"], figure["goal"] is not None) for figure in told["figures"]] == [
        ("imports", "rows/s", False),
        ("imports", "rows/s", True),
        ("imports", "rows/s", False),
        ("imports", "MB", False),
    ]
    assert all(figure["ours"]["median"] >= 0 for figure in told["figures"])
