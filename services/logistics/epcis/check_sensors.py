"""What sensor data must be beyond its shape: times that can be, units, vocabulary, and nothing said twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from services.logistics.epcis.fields import SENSOR_URIS, TIMES
from services.logistics.epcis.findings import Finding
from services.logistics.epcis.identifiers import is_uri
from services.logistics.epcis.times import read_time
from services.logistics.epcis.vocabulary import is_own_form
from services.logistics.epcis.words import REPORT_WORDS

_UNIT = re.compile(r"[0-9A-Z]{1,3}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def check_sensors(fields: dict[str, Any], path: str) -> Iterator[Finding]:
    """What is wrong with the sensor elements of an event whose shape is right, as it is found."""
    at = read_time(fields.get("eventTime"))
    for place, element in enumerate(fields.get("sensorElementList", ())):
        where = f"{path}.sensorElementList[{place}]"
        metadata, reports = element.get("sensorMetadata") or {}, element.get("sensorReport", ())
        yield from _check_times(metadata, f"{where}.sensorMetadata", at)
        yield from _check_uris(metadata, f"{where}.sensorMetadata")
        for number, report in enumerate(reports):
            here = f"{where}.sensorReport[{number}]"
            yield from _check_times(report, here, at)
            yield from _check_report(report, here)
            for name in sorted(metadata.keys() & report.keys()):
                yield Finding(f"{here}.{name}", "stands in sensorMetadata already", "sensor_twice")


def _check_times(owner: dict[str, Any], path: str, at: Any) -> Iterator[Finding]:
    for name in TIMES & owner.keys():
        if (time := read_time(owner[name])) is None:
            yield Finding(f"{path}.{name}", f"{owner[name][:50]!r} is no time with an offset", "time")
        elif at is not None and time > at:
            yield Finding(f"{path}.{name}", "is later than the event", "sensor_time")
    start, end = read_time(owner.get("startTime")), read_time(owner.get("endTime"))
    if start and end and start > end:
        yield Finding(f"{path}.startTime", "is later than endTime", "time")


def _check_uris(owner: dict[str, Any], path: str) -> Iterator[Finding]:
    for name in SENSOR_URIS:
        if name in owner and not is_uri(owner[name]):
            yield Finding(f"{path}.{name}", "is not an absolute URI", "identifier")


def _check_report(report: dict[str, Any], path: str) -> Iterator[Finding]:
    yield from _check_uris(report, path)
    if "uom" in report and not _UNIT.fullmatch(report["uom"]):
        yield Finding(f"{path}.uom", f"{report['uom'][:20]!r} is no unit code of UN/ECE Recommendation 20", "unit")
    if "hexBinaryValue" in report and not _HEX.fullmatch(report["hexBinaryValue"]):
        yield Finding(f"{path}.hexBinaryValue", "is not hexadecimal", "shape")
    if ("percRank" in report) != ("percValue" in report):
        yield Finding(path, "percRank and percValue come together", "shape")
    for name, vocabulary in REPORT_WORDS.items():
        word = report.get(name, "")
        if word and not vocabulary.has(word) and (is_own_form(vocabulary, word) or not is_uri(word)):
            yield Finding(f"{path}.{name}", f"{word[:100]!r} is no {vocabulary.name} of the CBV", "vocabulary")
