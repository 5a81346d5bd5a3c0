"""The registry of named checks that market packs use: what is right of a number that names something, and why."""

from services.catalog.markets.checks import (
    approvals,
    companies,
    goods,
    permits,
    retail,
    substances,
    transport,
    vehicles,
)
from services.catalog.markets.checks.check import Check, CheckFailed

CHECKS: dict[str, Check] = {
    check.name: check
    for module in (companies, vehicles, substances, retail, transport, goods, approvals, permits)
    for check in module.CHECKS
}

__all__ = ["CHECKS", "Check", "CheckFailed"]
