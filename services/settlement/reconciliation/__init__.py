"""Stripe's books held against ours: each night every movement of card money is asked for and compared to the cent."""

from services.settlement.reconciliation.api import routes as BLUEPRINT
from services.settlement.reconciliation.commands import prepare_reconciliation, start_reconciliation
from services.settlement.reconciliation.errands import ERRANDS
from services.settlement.reconciliation.invariants import INVARIANTS
from services.settlement.reconciliation.measuring import meter_differences
from services.settlement.reconciliation.model import Reconciliation

TIMERS = {Reconciliation: start_reconciliation}
LOOPS = {"card-differences": meter_differences}
SETUP = prepare_reconciliation

__all__ = ["BLUEPRINT", "ERRANDS", "INVARIANTS", "LOOPS", "SETUP", "TIMERS"]
