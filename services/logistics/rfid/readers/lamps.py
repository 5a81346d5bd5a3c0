"""What the lamp and the barrier of a gate show: a pure function of the gate's last word and the time, that falls to *check*."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from services.logistics.rfid.readers.model import ReaderInvalid

Verdict = Literal["release", "stop", "check"]
AHEAD = timedelta(seconds=5)
"""A word from further in the future than this is not believed."""


class Lamp(msgspec.Struct, frozen=True):
    """The outputs of a reader that are on for each word, by number; all others that are named here are then off.

    A word is shown for ``lasts_s`` after the passage, then *check*.
    """

    release: tuple[int, ...]
    stop: tuple[int, ...]
    check: tuple[int, ...]
    lasts_s: int = 10

    def outputs(self, verdict: Verdict) -> dict[int, bool]:
        """Which outputs are on and off for a word."""
        on = getattr(self, verdict)
        return {port: port in on for port in sorted({*self.release, *self.stop, *self.check})}

    def check_is_safe(self) -> None:
        """Raises ReaderInvalid when a dead output, or one that is on for another word, would mean *release*."""
        if not self.release:
            raise ReaderInvalid("a lamp that is dark must not mean release", field="lamp.release")
        if {*self.release} & {*self.stop, *self.check}:
            raise ReaderInvalid("an output of release may not be on for stop or check", field="lamp.release")


class Said(msgspec.Struct, frozen=True):
    """What a gate said of a passage, and when; what was said late counts from when it was due."""

    verdict: str
    at: datetime


def read_lamp(written: Mapping[str, Any] | None) -> Lamp | None:
    """The lamp of a reader as its table has it."""
    return None if written is None else msgspec.convert(written, Lamp)


def word_to_show(lamp: Lamp, said: Said | None, now: datetime) -> Verdict:
    """What the lamp shows now: the gate's word while it is fresh, *check* in any doubt."""
    if said is None or not -AHEAD <= now - said.at < timedelta(seconds=lamp.lasts_s):
        return "check"
    return said.verdict if said.verdict in ("release", "stop") else "check"  # type: ignore[return-value]
