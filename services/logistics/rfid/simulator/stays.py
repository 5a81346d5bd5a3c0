"""Goods that stay in zones and move between them, and what the zones' readers hear of them."""

from __future__ import annotations

from random import Random

import msgspec

from services.logistics.rfid.simulator.goods import Maker
from services.logistics.rfid.simulator.inventory import MOST_A_ROUND, SHADOW_DB, Sight
from services.logistics.rfid.simulator.radio import Air
from services.logistics.rfid.simulator.sites import Site, ZoneAt

SECOND = 1_000_000
ROUND_US = SECOND // 2
"""A zone's two antennas take turns, so that each listens once a second."""
STAYS_S, MOVES_S = 600.0, 30.0
"""A stay is so long in the mean (and a minute at least), a move between zones between a third of its mean and twice it."""


class Stay(msgspec.Struct, frozen=True, order=True):
    """A tag is in a zone from one time to another, at a place and with a loss of its own there."""

    from_us: int
    until_us: int
    epc: str
    zone: int
    x: float
    y: float
    z: float
    loss_db: float


def plan_stays(chance: Random, maker: Maker, site: Site, *, start_us: int, seconds: int, tags: int) -> list[Stay]:
    """The stays of so many tags; some are there from the start, some come."""
    end_us = start_us + seconds * SECOND
    stays: list[Stay] = []
    for _ in range(tags if site.zones else 0):
        epc, loss_db = maker.case(), abs(chance.gauss(4.0, 2.5)) + 8.0 * (chance.random() < 0.03)
        at_us = start_us + (chance.randint(0, seconds) * SECOND // 2 if chance.random() < 0.5 else 0)
        zone = chance.randrange(len(site.zones))
        while at_us < end_us:
            until_us = at_us + round((60 + chance.expovariate(1 / STAYS_S)) * SECOND)
            stays.append(_stay(chance, site.zones[zone], zone, epc, loss_db, at_us, min(until_us, end_us)))
            at_us = until_us + round(chance.uniform(MOVES_S / 3, MOVES_S * 2) * SECOND)
            zone = (zone + chance.randint(1, max(1, len(site.zones) - 1))) % len(site.zones)
    return sorted(stays)


def _stay(
    chance: Random, zone: ZoneAt, number: int, epc: str, loss_db: float, from_us: int, until_us: int
) -> Stay:  # fmt: skip
    x, y = zone.x + chance.uniform(-1, 1), zone.y + chance.uniform(-zone.half, zone.half)
    return Stay(from_us, until_us, epc, number, x, y, chance.uniform(0.2, 2.0), loss_db)


def listen_zone(site: Site, number: int, stays: list[Stay], air: Air, chance: Random) -> list[Sight]:
    """All that the reader of one zone hears of what is in any."""
    if not stays:
        return []
    zone = site.zones[number]
    shadows: dict[tuple[Stay, int], float] = {}
    waiting, here, sights = sorted(stays, reverse=True), list[Stay](), list[Sight]()
    for at_us in range(stays[0].from_us, max(stay.until_us for stay in stays), ROUND_US):
        while waiting and waiting[-1].from_us <= at_us:
            here.append(waiting.pop())
        here = [stay for stay in here if stay.until_us > at_us]
        antenna = zone.reader.antennas[at_us // ROUND_US % len(zone.reader.antennas)]
        heard: list[tuple[str, int]] = []
        for stay in here:
            if (shadow := shadows.get((stay, antenna.number))) is None:
                shadow = shadows[stay, antenna.number] = stay.loss_db + chance.gauss(0, SHADOW_DB)
            signal = air.ask(antenna, stay.x, stay.y, stay.z, shadow)
            if signal is not None:
                heard.append((stay.epc, signal))
        if len(heard) > 5 * MOST_A_ROUND:
            heard = chance.sample(heard, 5 * MOST_A_ROUND)
        for epc, signal in heard:
            sights.append(Sight(at_us + chance.randrange(ROUND_US), zone.reader.id, antenna.number, epc, signal))
    return sorted(sights)


def stray(chance: Random, site: Site, number: int, stays: list[Stay], sights: list[Sight], share: float) -> list[Sight]:
    """Reads in one zone of tags that are in another, such that they are a share of all its reads: the ghosts of a zone."""
    others = [stay for stay in stays if stay.zone != number]
    if not others or not sights or not share:
        return []
    reader = site.zones[number].reader
    found: list[Sight] = []
    for _ in range(round(len(sights) * share / (1 - share))):
        stay = chance.choice(others)
        at_us = chance.randint(stay.from_us, stay.until_us - 1)
        signal = min(-50, max(-82, round(chance.gauss(-68, 4))))
        found.append(Sight(at_us, reader.id, chance.choice(reader.antennas).number, stay.epc, signal, False))
    return found
