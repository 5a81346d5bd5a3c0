"""A running sandbox over a file of its own, and Stripe's SDK speaking to it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import stripe

from infra.stripe_sandbox.server import Sandbox

KEY = "sk_test_sandbox"
SECRET = "whsec_sandbox"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stripe.log"


@pytest.fixture
def sandbox(path: Path) -> Iterator[Sandbox]:
    running = Sandbox(path, api_key=KEY, webhook_secret=SECRET).start()
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: Sandbox) -> stripe.StripeClient:
    """No retries, so that a test sees each answer."""
    return stripe.StripeClient(KEY, base_addresses={"api": sandbox.url}, max_network_retries=0)


@pytest.fixture
def admin(sandbox: Sandbox) -> Callable[..., dict]:
    """``admin("scripts", on="card", decline="lost_card")`` posts to /sandbox."""

    def call(route: str, /, **body: object) -> dict:
        headers = {"Authorization": f"Bearer {KEY}"}
        answer = requests.post(f"{sandbox.url}/sandbox/{route}", json=body, headers=headers, timeout=5)
        answer.raise_for_status()
        return answer.json()

    return call


@pytest.fixture
def pay(client: stripe.StripeClient) -> Callable[..., stripe.PaymentIntent]:
    """Create and confirm an intent; members may be changed, ``key`` is the idempotency key."""

    def call(key: str | None = None, **members: object) -> stripe.PaymentIntent:
        params = {"amount": 10_000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True, **members}
        return client.v1.payment_intents.create(params, {"idempotency_key": key} if key else {})

    return call
