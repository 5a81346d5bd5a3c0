"""What is said of a product before it is one: the draft, and what becomes of drafts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

Wanted = Literal["draft", "published"]
_encode = msgspec.json.Encoder(order="deterministic").encode


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of one of its products: every attribute was read by the market's pack and is as this keeps it.

    ``texts`` are free descriptions by language (zh, en); ``gtin`` has 14 digits. ``state`` is what the product is to
    become: a draft leaves a published one published.
    """

    number: str
    attributes: dict[str, str]
    texts: dict[str, str] = {}
    gtin: str | None = None
    state: Wanted = "draft"


@dataclass
class Outcome:
    """What became of drafts: how many were taken in and how, and why others were not, by their place and column.

    ``updated`` counts those, too, whose change the operator has still to look at. Of ``ids`` each is that of the product
    at its draft's place, or None where it was refused.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    ids: list[str | None] = field(default_factory=list)


def digest_of(market: str, attributes: Mapping[str, str], texts: Mapping[str, str], gtin: str | None) -> str:
    """Equal for equal descriptions: what tells an upload that is repeated from one that changes something."""
    return hashlib.sha256(_encode((market, attributes, texts, gtin))).hexdigest()
