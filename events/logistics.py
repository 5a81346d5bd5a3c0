"""What logistics tells: where the goods are and what they weighed."""

from datetime import datetime
from typing import Any, ClassVar, Literal

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
    """One sight of one tag: ``sequence`` names it within ``boot``, ``at`` is when by our clock, as well as that is known.

    ``reader_at`` is what the reader's own clock said; ``is_skewed`` when that is more than a day off: such a read is kept and
    makes no event. ``count`` is how many sights the reader put together, ``pc`` the protocol control word of the tag's memory.
    """

    sequence: int
    epc: str
    antenna: int
    rssi_dbm: float
    at: datetime
    reader_at: datetime | None = None
    count: int = 1
    is_skewed: bool = False
    pc: int | None = None


class EdgeSeen(Value):
    """An input of a reader (photo-eye, switch) went high or low. (Reader, port, time) names it."""

    port: int
    is_high: bool
    at: datetime


class TagsRead(Event):
    """What a gate's reader has seen. A stream: it may come twice, and (gate, boot, sequence) names each read.

    ``boot`` begins with the reader's id and a slash where ``reader_id`` is known, so that two readers never share one.
    """

    type: ClassVar[str] = "logistics.tags_read.v1"
    topic: ClassVar[str] = "logistics.rfid.reads.v1"
    gate_id: str
    boot: str
    received_at: datetime
    reads: list[TagRead]
    reader_id: str | None = None
    edges: list[EdgeSeen] = []


class ReaderHeard(Event):
    """A reader lives, told about every second in the stream of its gate: all it saw before ``seen_until`` came before this."""

    type: ClassVar[str] = "logistics.reader_heard.v1"
    topic: ClassVar[str] = "logistics.rfid.reads.v1"
    gate_id: str
    reader_id: str
    at: datetime
    seen_until: datetime


class JudgedReason(Value):
    """Why a gate does not simply let something pass: a code, the piece or the tag that it is about, a sentence for people."""

    code: str
    text: str
    piece_id: str | None = None
    epc: str | None = None


class GateJudged(Event):
    """A gate has said of what passed whether it may go on: ``release``, ``stop`` or ``check``, and why not when it may not."""

    type: ClassVar[str] = "logistics.gate_judged.v1"
    gate_id: str
    warehouse_id: str
    passage_id: str
    at: datetime
    verdict: Literal["release", "stop", "check"]
    plate: str | None = None
    delivery_ids: list[str] = []
    reasons: list[JudgedReason] = []


class EpcisEventCaptured(Event):
    """An EPCIS event has come into the repository: ``owner_id`` captured it, ``party_ids`` may see it too.

    The key ``thing`` is its parent, else its smallest EPC, else its smallest class, else its own id. ``id`` is its row;
    ``document`` is the event as captured, None where it is large.
    """

    type: ClassVar[str] = "logistics.epcis_event_captured.v1"
    topic: ClassVar[str] = "logistics.epcis.events.v1"
    thing: str
    id: str
    owner_id: str
    party_ids: list[str]
    event_id: str
    is_error: bool
    event_time: datetime
    record_time: datetime
    document: dict[str, Any] | None = None


class ZoneObserved(Event):
    """A tag has entered a zone of a warehouse or left it. The key ``epc`` is what the tag names, or its own hex digits.

    ``zone_id`` is where it is now, or was; ``stay_id`` is the same for entering and leaving.
    """

    type: ClassVar[str] = "logistics.zone_observed.v1"
    topic: ClassVar[str] = "logistics.rfid.observations.v1"
    epc: str
    stay_id: str
    zone_id: str
    warehouse_id: str
    change: Literal["entered", "left"]
    at: datetime
    piece_id: str | None = None


class TagObserved(Event):
    """A tag passed a gate or stays in a zone, by its canonical link. Told again when late reads change what was told.

    ``passage_id`` names the passage at a gate, ``zone_id`` the zone; ``direction`` is ``in``, ``out`` or ``unknown``.
    """

    type: ClassVar[str] = "logistics.tag_observed.v1"
    topic: ClassVar[str] = "logistics.rfid.observations.v1"
    link: str
    epc: str
    gate_id: str
    warehouse_id: str
    first_seen: datetime
    at: datetime
    direction: str = "unknown"
    passage_id: str | None = None
    zone_id: str | None = None


class ShipmentMilestone(Event):
    """A milestone of a delivery is planned, estimated or has happened, or is not so any more (``is_withdrawn``).

    It is known by (code, classifier, container, place); told again with a higher ``version`` of the delivery, it says something
    else. Estimates stand until they are told anew. ``dcsa_code`` is the DCSA's event type where it is about a container.
    """

    type: ClassVar[str] = "logistics.shipment_milestone.v1"
    topic: ClassVar[str] = "logistics.shipment.milestones.v1"
    delivery_id: str
    deal_id: str
    version: int
    party_ids: list[str]
    code: str
    classifier: Literal["planned", "estimated", "actual"]
    at: datetime
    until: datetime
    place: str | None = None
    container: str | None = None
    dcsa_code: str | None = None
    piece_ids: list[str] = []
    event_ids: list[str] = []
    detail: str | None = None
    is_withdrawn: bool = False


class RecallNoticeSent(Event):
    """A company is told that it holds goods of a recalled lot, or more than it was told before.

    ``thing`` is what is recalled, ``held`` how many of its things and lots the company has; it answers by ``due_at``.
    """

    type: ClassVar[str] = "logistics.recall_notice_sent.v1"
    notice_id: str
    recall_id: str
    party_id: str
    thing: str
    grade: str
    reason: str
    instruction: str
    held: int
    due_at: datetime | None = None
