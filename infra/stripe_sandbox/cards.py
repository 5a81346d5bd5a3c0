"""Stripe's test payment methods: the card each stands for and what its bank answers (docs.stripe.com/testing)."""

from dataclasses import dataclass

from infra.stripe_sandbox.errors import Missing


@dataclass(frozen=True)
class Card:
    """``decline``: the decline code, or None. ``code``: the error code when it is not card_declined."""

    brand: str
    last4: str
    decline: str | None = None
    code: str = "card_declined"
    settles_at_once: bool = False
    is_disputed: bool = False
    asks_for_authentication: bool = False


MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}

CARDS = {
    "pm_card_visa": Card("visa", "4242"),
    "pm_card_visa_debit": Card("visa", "5556"),
    "pm_card_mastercard": Card("mastercard", "4444"),
    "pm_card_amex": Card("amex", "8431"),
    "pm_card_unionpay": Card("unionpay", "0005"),
    "pm_card_bypassPending": Card("visa", "0077", settles_at_once=True),
    "pm_card_createDispute": Card("visa", "0259", is_disputed=True),
    "pm_card_authenticationRequired": Card("visa", "3184", asks_for_authentication=True),
    "pm_card_chargeDeclined": Card("visa", "0002", "generic_decline"),
    "pm_card_visa_chargeDeclined": Card("visa", "0002", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": Card("visa", "9995", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Card("visa", "9995", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": Card("visa", "9987", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": Card("visa", "9979", "stolen_card"),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": Card("visa", "6975", "card_velocity_exceeded"),
    "pm_card_chargeDeclinedExpiredCard": Card("visa", "0069", "expired_card", code="expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": Card("visa", "0127", "incorrect_cvc", code="incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": Card("visa", "0119", "processing_error", code="processing_error"),
}


def card_of(payment_method: str) -> Card:
    """The card behind a test payment method. Raises Missing for any other id."""
    if payment_method not in CARDS:
        raise Missing("PaymentMethod", payment_method, param="payment_method", status=400)
    return CARDS[payment_method]


def message_of(decline: str) -> str:
    """What a cardholder is told of a decline."""
    return MESSAGES.get(decline, "Your card was declined.")
