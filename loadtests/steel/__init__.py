"""The steel trade as its people play it: a mill, a buyer and a warehouse, from admission to payout, over the public API.

``SteelTrade`` is one trade between three companies. What its people do is a method each, in a module a subject;
``play`` runs the whole of it.
"""

from loadtests.steel.goods import CSV_HEAD, MARKET, Coil
from loadtests.steel.people import Company, company_code
from loadtests.steel.trade import Periods
from loadtests.steel.whole import SteelTrade, Step

__all__ = ["CSV_HEAD", "MARKET", "Coil", "Company", "Periods", "SteelTrade", "Step", "company_code"]
