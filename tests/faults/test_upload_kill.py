"""Kill −9 in the middle of an upload over real processes: nothing twice, nothing lost, and the right error file."""

from __future__ import annotations

import csv
import io
import random
from urllib.parse import urlencode

import pytest

from loadtests.api import Actor, Api
from loadtests.steel import SteelTrade
from tests.faults.conftest import Place

pytestmark = pytest.mark.xdist_group("faults")
ROWS = 12_000
HEADING = "产品编号,品名,牌号,标准,长度(m),直径(mm)"


def write_rows() -> bytes:
    """Rebar, of which each hundredth row has a diameter that is no number."""
    lines = [
        f"KILL-{n:05},螺纹钢,HRB400,GB/T 1499.2-2024,12,{'x' if n % 100 == 99 else 12 + n % 20}" for n in range(ROWS)
    ]
    return "\n".join([HEADING, *lines, ""]).encode()


def test_an_upload_survives_the_death_of_worker_and_database(place: Place, api: Api, operator: Actor) -> None:
    trade = SteelTrade(api, operator, number=7, wait_s=120)
    desk = trade.admit("mill", "Upload Rolling Mill").desk
    draw = random.Random(5)
    said = urlencode({"kind": "products", "market": "steel", "file_name": "rebar.csv", "language": "en"})
    id = desk.post(f"/v1/uploads/files?{said}", write_rows(), content_type="text/csv")["id"]
    see = f"/v1/uploads/{id}"
    opened = trade.until(lambda: (seen := desk.get(see))["state"] == "opened" and seen, "the file to be opened")
    assert opened["missing"] == []
    desk.post(f"{see}/apply")
    for victim, after in (("worker", 2_000), ("postgres/backend", 4_000), ("worker", 6_000), ("postgres", 8_000)):
        trade.until(lambda after=after: desk.get(see)["rows"] >= after, f"{after} rows to be in")
        trade.until(lambda victim=victim: place.kill(victim, draw), f"{victim} to be there")
    done = trade.until(lambda: (seen := desk.get(see))["state"] == "applied" and seen, "the file to be in")
    good, bad = ROWS * 99 // 100, ROWS // 100
    assert [done[name] for name in ("rows", "created", "updated", "unchanged", "refused", "errors")] == [
        ROWS, good, 0, 0, bad, bad,
    ]  # fmt: skip
    errors = list(csv.DictReader(io.StringIO(desk.get(f"{see}/errors/file").decode("utf-8-sig"))))
    assert [(int(each["row"]), each["column"], each["value"]) for each in errors] == [
        (n + 2, "直径(mm)", "x") for n in range(99, ROWS, 100)
    ]
    exported = desk.get("/v1/products/export", market="steel").decode("utf-8-sig")
    numbers = sorted(each["产品编号"] for each in csv.DictReader(io.StringIO(exported)))
    assert numbers == [f"KILL-{n:05}" for n in range(ROWS) if n % 100 != 99]
    place.wait_until_ready()
    assert place.haihe("check", "--settled")["broken"] == []
