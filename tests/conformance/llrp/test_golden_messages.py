"""Messages of a real reader, decoded equal field by field to what others decoded from them (T10)."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.logistics.rfid.llrp.codec import Item, read_message, write_message
from services.logistics.rfid.llrp.definitions import MESSAGE_BY_NAME, PARAMETER_BY_NAME, Definition
from services.logistics.rfid.llrp.kinds import BitList, Counted, Fixed
from services.logistics.rfid.llrp.reports import read_reports
from services.logistics.rfid.llrp.wire import Frame

GOLDEN = Path(__file__).resolve().parents[4] / "shared" / "data" / "llrp-golden"
FILES = sorted(GOLDEN.rglob("*.bytes"))
NEVER_NULL = {"UTCTimestamp": 0, "Uptime": 0, "EPCData": {"EPCNumBits": 0, "EPC": None}, "EPC96": {"EPC": None}}


def _number(path: Path) -> Definition:
    return MESSAGE_BY_NAME[re.sub(r"-\d+$", "", path.stem)]


def _as_json(item: Item) -> Any:
    """An item in the form of the golden files: a parameter of one plain field is that field, an empty list is null."""
    definition = MESSAGE_BY_NAME.get(item.name) or PARAMETER_BY_NAME[item.name]
    fields: dict[str, Any] = {}
    for kind in definition.kinds:
        for name in getattr(kind, "name", None) and [kind.name] or [bit for bit, *_ in kind.bits if bit]:  # type: ignore[attr-defined]
            fields |= _field(name, item[name], isinstance(kind, Counted) and kind.of == "B")
    plain = not any(isinstance(kind, Counted | Fixed) for kind in definition.kinds)
    if item.name in PARAMETER_BY_NAME and not definition.slots and len(fields) == 1 and plain:
        return next(iter(fields.values()))
    for slot in definition.slots:
        inside = item[slot.name]
        if isinstance(inside, list):
            fields[slot.name] = [_as_json(one) for one in inside] or None
        else:
            fields[slot.name] = NEVER_NULL.get(slot.name) if inside is None else _as_json(inside)
    return fields


def _field(name: str, value: Any, are_bytes: bool) -> dict[str, Any]:
    if isinstance(value, BitList):
        return {f"{name}NumBits": value.count, name: base64.b64encode(value.data).decode()}
    if isinstance(value, bytes) or are_bytes:
        return {name: base64.b64encode(bytes(value)).decode()}
    return {name: value}


@pytest.mark.parametrize("path", FILES or [GOLDEN], ids=lambda path: path.stem)
def test_golden_file(path: Path) -> None:
    if not FILES:
        pytest.skip("the public files llrp-golden are not in ../shared/data")
    body = path.read_bytes()
    item = read_message(Frame(1, _number(path).number, 1, body))
    assert _as_json(item) == json.loads(path.with_suffix(".json").read_text())
    number, written = write_message(item)
    assert read_message(Frame(1, number, 1, written)) == item
    assert len(written) == len(body)


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.stem.startswith("ROAccessReport")] or [GOLDEN], ids=lambda path: path.stem
)
def test_golden_report_read_fast(path: Path) -> None:
    if not FILES:
        pytest.skip("the public files llrp-golden are not in ../shared/data")
    told = json.loads(path.with_suffix(".json").read_text())["TagReportData"]
    reports = read_reports(path.read_bytes())
    assert [bytes.fromhex(report.epc) for report in reports] == [
        base64.b64decode(one["EPC96"]["EPC"] or one["EPCData"]["EPC"]) for one in told
    ]
    assert [(one.antenna, one.rssi_dbm, one.first_utc, one.last_utc, one.count) for one in reports] == [
        (one["AntennaID"], one["PeakRSSI"], one["FirstSeenUTC"], one["LastSeenUTC"], one["TagSeenCount"])
        for one in told
    ]
