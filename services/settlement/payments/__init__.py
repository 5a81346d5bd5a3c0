"""Card payments through Stripe: top-ups of a party's balance.

The service's assembly takes BLUEPRINT, TIMERS, ERRANDS, INVARIANTS and SETUP from here; this topic hears nobody.
"""

from services.settlement.payments.api import routes as BLUEPRINT
from services.settlement.payments.commands import chase_payment
from services.settlement.payments.errands import ERRANDS
from services.settlement.payments.heard import CardEvent, CardSweep
from services.settlement.payments.hearing import apply_event, prepare_sweep, start_sweep
from services.settlement.payments.invariants import INVARIANTS
from services.settlement.payments.model import CardPayment

HANDLERS = {}
TIMERS = {CardPayment: chase_payment, CardEvent: apply_event, CardSweep: start_sweep}
SETUP = prepare_sweep

__all__ = ["BLUEPRINT", "ERRANDS", "HANDLERS", "INVARIANTS", "SETUP", "TIMERS"]
