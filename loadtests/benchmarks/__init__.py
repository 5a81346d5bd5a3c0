"""Benchmarks of Haihe beside references that are measured in the same run: ``haihe bench``.

Figures of different machines, or of one machine on different days, do not compare; the ratios do.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Measures what the arguments ask for and prints it. Raises infra.failures.Failure when something does not work."""
    from chassis.telemetry import configure_logging
    from loadtests.benchmarks.parts import PARTS, measure
    from loadtests.benchmarks.place import Place
    from loadtests.benchmarks.plan import FULL, QUICK
    from loadtests.benchmarks.report import write_json, write_table

    parser = argparse.ArgumentParser("haihe bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds a part, to see that it works")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="measure on this folder's disk; what is made there is removed"
    )
    parser.add_argument("--port", type=int, help="where the measured platform answers")
    parser.add_argument("--part", action="append", choices=PARTS, help="measure this part alone; may be repeated")
    asked = parser.parse_args(arguments)
    configure_logging(process="bench", level="WARNING")
    place = Place(asked.data, asked.port)
    report = measure(QUICK if asked.quick else FULL, asked.part or PARTS, place, say=_say)
    print(write_json(report) if asked.json else write_table(report))
    return 0


def _say(line: str) -> None:
    print(f"· {line}", file=sys.stderr, flush=True)
