"""Which refusals belong to trading: somebody was faster, or news has not arrived yet. All others are errors."""

from __future__ import annotations

from collections.abc import Mapping

SOMEBODY_WAS_FASTER = frozenset(
    {"coil_gone", "insufficient_quantity", "below_minimum", "not_a_step", "stale_offer", "offer_withdrawn"}
)
NUMBER_IS_TAKEN = frozenset({"identifier_taken", "email_taken", "account_taken"})
_ANYWHERE = frozenset({"not_yet_known"})
_NOT_THERE_YET = frozenset({"not_found"})
_BY_ROUTE: Mapping[tuple[str, str], frozenset[str]] = {
    ("POST", "/v1/offers/{id}/takes"): SOMEBODY_WAS_FASTER,
    ("GET", "/v1/offers/{id}"): frozenset({"not_found"}),
    ("GET", "/v1/agreements/{id}"): _NOT_THERE_YET,
    ("POST", "/v1/parties"): NUMBER_IS_TAKEN,
}


def is_expected(method: str, route: str, problem: str) -> bool:
    """Whether a refusal of a route (``/v1/offers/{id}``) with the short name of a problem belongs to trading."""
    return problem in _ANYWHERE or problem in _BY_ROUTE.get((method, route), ())
