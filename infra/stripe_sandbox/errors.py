"""How the sandbox refuses: Stripe's error object, its statuses, and whether an idempotency key remembers it."""

from typing import Any


class StripeError(Exception):
    """A refusal in Stripe's words. ``kept``: an endpoint had begun to execute, so the key replays this answer."""

    status = 400
    type = "invalid_request_error"
    kept = False
    commits = False

    def __init__(self, message: str, **members: Any) -> None:
        super().__init__(message)
        self.members = {"message": message, **members}

    def body(self) -> dict[str, Any]:
        return {"error": {"type": self.type, **self.members}}


class BadParameter(StripeError):
    """Refused before anything ran."""


class Missing(StripeError):
    """404, or 400 when the id came as a parameter."""

    def __init__(self, kind: str, wanted: str, *, param: str = "id", status: int = 404) -> None:
        super().__init__(f"No such {kind}: '{wanted}'", code="resource_missing", param=param)
        self.status = status


class Unauthenticated(StripeError):
    """The API key is not the one of this sandbox."""

    status = 401


class WrongState(StripeError):
    """The object is not in a state that allows this, or the money is not there."""

    kept = True


class Declined(StripeError):
    """402: the card said no. What led here stays recorded."""

    status = 402
    type = "card_error"
    kept = True
    commits = True


class KeyInUse(StripeError):
    """409: a request with this idempotency key is being answered."""

    status = 409

    def __init__(self, key: str) -> None:
        message = f"There is currently another in-progress request using this Idempotent Key: {key}"
        super().__init__(message, code="idempotency_key_in_use")


class KeyReused(StripeError):
    """The idempotency key came with another request before."""

    type = "idempotency_error"

    def __init__(self, key: str) -> None:
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        super().__init__(f"{message} Try using a key other than '{key}' if you meant to execute a different request.")


class Scripted(StripeError):
    """A failure that a test asked for."""

    type = "api_error"

    def __init__(self, status: int) -> None:
        limited = status == 429
        super().__init__("scripted failure", **({"code": "rate_limit"} if limited else {}))
        self.status = status
        self.type = "invalid_request_error" if limited else "api_error"
        self.kept = status >= 500
