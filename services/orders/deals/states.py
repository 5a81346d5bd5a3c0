"""The states of a deal, and the reasons for which it or a part of it ends."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a deal stands.

    ``delivering`` is paid, or some of it; in ``settling`` nothing is left to deliver and money of its deliveries waits.
    """

    DEPOSITS_PENDING = "deposits_pending"
    EFFECTIVE = "effective"
    SIGNED = "signed"
    DELIVERING = "delivering"
    SETTLING = "settling"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DEFAULTED = "defaulted"


class Reason(StrEnum):
    """Why a deal, or a part of it, came to nothing."""

    BUYER_DEPOSIT_REFUSED = "buyer_deposit_refused"
    SELLER_DEPOSIT_REFUSED = "seller_deposit_refused"
    DEPOSITS_LATE = "deposits_late"
    NOT_SIGNED = "not_signed"
    NOT_PAID = "not_paid"
    NOT_DELIVERED = "not_delivered"
    NOT_FETCHED = "not_fetched"
    AGREED = "agreed"
    FORCE_MAJEURE = "force_majeure"
    SUPPLEMENT_NOT_PAID = "supplement_not_paid"
