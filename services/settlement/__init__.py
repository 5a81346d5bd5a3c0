"""Settlement keeps money: balances, deposits, escrow, what came in by bank or card, and what goes out.

It owns accounts with their journals and postings, deposits and holds, escrows, supplements, statements, invoices, bank
credits, card payments and payouts. Every movement is one journal of the ledger; everything else here says why it was made.

Locks are taken in this order: escrow, deposits, holds, supplement or invoice, then bank credit, reconciliation, card
payment or payout, then the ledger's accounts (inside ``post``, in the order of their ids). A command posts once, but for
what Stripe moved of one card payment: that is posted one by one, and a deadlock there runs the whole command again.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import Service, join_handlers
from chassis.settings import Settings
from services.settlement import payments, reconciliation
from services.settlement.banking import api as banking_api
from services.settlement.banking import consumers as banking_consumers
from services.settlement.banking import invariants as banking_invariants
from services.settlement.banking.commands import remind_of_credit
from services.settlement.banking.model import BankCredit
from services.settlement.base import Base
from services.settlement.escrows import api as escrows_api
from services.settlement.escrows import consumers as escrows_consumers
from services.settlement.escrows import invariants as escrows_invariants
from services.settlement.escrows.commands import lapse_overdue
from services.settlement.escrows.model import Escrow
from services.settlement.holds import api as holds_api
from services.settlement.holds import consumers as holds_consumers
from services.settlement.holds import invariants as holds_invariants
from services.settlement.invoices import api as invoices_api
from services.settlement.invoices import invariants as invoices_invariants
from services.settlement.ledger import api as ledger_api
from services.settlement.ledger import invariants as ledger_invariants
from services.settlement.ledger.measuring import meter_balances
from services.settlement.markets import consumers as markets_consumers
from services.settlement.movements import invariants as movements_invariants
from services.settlement.payouts import api as payouts_api
from services.settlement.payouts import invariants as payouts_invariants
from services.settlement.payouts.commands import remind_of_payout
from services.settlement.payouts.model import Payout
from services.settlement.statements import api as statements_api
from services.settlement.statements import invariants as statements_invariants
from services.settlement.supplements import api as supplements_api
from services.settlement.supplements import invariants as supplements_invariants
from services.settlement.supplements.commands import miss_overdue
from services.settlement.supplements.model import Supplement


def set_up(session: Session, caller: Caller, settings: Settings) -> None:
    """The rows that recur: the sweep of Stripe's events, and the first reconciliation."""
    payments.SETUP(session, caller, settings)
    reconciliation.SETUP(session, caller, settings)


SERVICE = Service(
    name="settlement",
    base=Base,
    nouns=(
        "accounts",
        "bank-credits",
        "card-payments",
        "card-events",
        "escrows",
        "supplements",
        "statements",
        "invoices",
        "payouts",
        "reconciliations",
    ),
    blueprints=(
        ledger_api.routes,
        holds_api.routes,
        escrows_api.routes,
        supplements_api.routes,
        statements_api.routes,
        invoices_api.routes,
        banking_api.routes,
        payouts_api.routes,
        payments.BLUEPRINT,
        reconciliation.BLUEPRINT,
    ),
    handlers=join_handlers(
        banking_consumers.HANDLERS,
        markets_consumers.HANDLERS,
        holds_consumers.HANDLERS,
        escrows_consumers.HANDLERS,
        payments.HANDLERS,
    ),
    timers={
        Escrow: lapse_overdue,
        Supplement: miss_overdue,
        BankCredit: remind_of_credit,
        Payout: remind_of_payout,
        **payments.TIMERS,
        **reconciliation.TIMERS,
    },
    errands={**payments.ERRANDS, **reconciliation.ERRANDS},
    invariants=(
        *ledger_invariants.INVARIANTS,
        *holds_invariants.INVARIANTS,
        *escrows_invariants.INVARIANTS,
        *supplements_invariants.INVARIANTS,
        *statements_invariants.INVARIANTS,
        *invoices_invariants.INVARIANTS,
        *banking_invariants.INVARIANTS,
        *payouts_invariants.INVARIANTS,
        *payments.INVARIANTS,
        *movements_invariants.INVARIANTS,
        *reconciliation.INVARIANTS,
    ),
    loops={**reconciliation.LOOPS, "balances": meter_balances},
    setup=set_up,
)
