"""Hazard (H) and precautionary (P) statements in both languages.

Source: UN GHS, 9th revised edition (ST/SG/AC.10/30/Rev.9), annex 3; GB 30000 for the Chinese.
"""

from __future__ import annotations

from services.catalog.markets.data.table import read_table
from services.catalog.markets.words import Bilingual

SOURCE = "UN GHS, 9th revised edition (ST/SG/AC.10/30/Rev.9), annex 3; GB 30000"


def _read_hazards() -> dict[str, Bilingual]:
    return {code: Bilingual(zh=zh, en=en) for code, (en, zh) in read_table("ghs")["hazard"].items()}


def _read_precautions() -> dict[str, Bilingual]:
    table = read_table("ghs")
    single = {code: Bilingual(zh=zh, en=en) for code, (en, zh) in table["precaution"].items()}
    joined = {}
    for code in table["joined"]["precaution"]:
        parts = [single[part] for part in code.split("+")]
        joined[code] = Bilingual(zh="".join(part.zh for part in parts), en=" ".join(part.en for part in parts))
    return single | joined


H_STATEMENTS = _read_hazards()
P_STATEMENTS = _read_precautions()


def statement_of(code: str) -> Bilingual | None:
    """What the code of a statement says in both languages; None where there is no such statement."""
    return H_STATEMENTS.get(code) or P_STATEMENTS.get(code)
