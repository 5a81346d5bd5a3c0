"""What logistics tells: where the goods are and what they weighed."""

from datetime import datetime
from typing import ClassVar

from chassis.envelope import Event
from chassis.values import Quantity, Value


class DeliveryStarted(Event):
    """A truck has been set up to carry part of a deal. The key is the deal, so that its deliveries stay in order."""

    type: ClassVar[str] = "logistics.delivery_started.v1"
    deal_id: str
    delivery_id: str
    piece_ids: list[str]
    quantity: Quantity


class DeliveryDeparted(Event):
    """The gate has seen the goods of a delivery leave (or the warehouse says so by hand)."""

    type: ClassVar[str] = "logistics.delivery_departed.v1"
    deal_id: str
    delivery_id: str
    at: datetime


class DeliveryWeighed(Event):
    """The weights of a delivery are known, net: ``loaded`` is the seller's D, ``received`` the buyer's R.

    Told again with a higher ``version`` when both sides have signed a correction or a third party has weighed.
    """

    type: ClassVar[str] = "logistics.delivery_weighed.v1"
    deal_id: str
    delivery_id: str
    piece_ids: list[str]
    loaded: Quantity
    received: Quantity
    third_party: Quantity | None = None
    version: int = 1


class DeliveryCancelled(Event):
    """A delivery that had not left was called off: its goods are to be delivered by another."""

    type: ClassVar[str] = "logistics.delivery_cancelled.v1"
    deal_id: str
    delivery_id: str
    piece_ids: list[str]


class DeliveriesClosed(Event):
    """No more trucks will be set up for a deal: all that ever were have been told before this, in its order.

    ``unfetched_piece_ids`` and ``unfetched`` are what the buyer had a pick-up note for, long enough, and did not fetch.
    """

    type: ClassVar[str] = "logistics.deliveries_closed.v1"
    deal_id: str
    unfetched_piece_ids: list[str] = []
    unfetched: Quantity | None = None


class RecallAnswered(Event):
    """Whether a part of a deal that orders recalled will not be carried any more: not, when some of it is on a truck."""

    type: ClassVar[str] = "logistics.recall_answered.v1"
    deal_id: str
    recall_id: str
    is_free: bool


class TagRead(Value):
    """One sight of one tag: ``sequence`` counts within a boot of the gate's reader, ``at`` is the reader's clock."""

    sequence: int
    epc: str
    antenna: int
    rssi_dbm: float
    at: datetime


class TagsRead(Event):
    """What a gate's reader has seen. A stream: it may come twice, and (gate, boot, sequence) names each read."""

    type: ClassVar[str] = "logistics.tags_read.v1"
    topic: ClassVar[str] = "logistics.reads"
    gate_id: str
    boot: str
    received_at: datetime
    reads: list[TagRead]
