"""A stateful stand-in for Stripe, for the one-machine platform and for tests: an outside world, honest about failure.

It speaks the part of Stripe's v1 API that moves card money (payment intents, charges, refunds, disputes, transfers,
payouts, balance transactions, events), keeps idempotency keys as Stripe does, and sends signed webhooks. Nothing of the
platform is imported here and no money is real. Behaviour after docs.stripe.com: API reference, testing, idempotent requests,
webhooks.

Reading order: ``server`` (how it runs), ``app`` (requests), ``idempotency``, ``intents``, ``charges``, ``transfers``.
``scripts`` is how a test makes it misbehave.
"""
