"""A connection to a reader, byte by byte and second by second, without a socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from services.logistics.rfid.llrp.codec import Item, make, read_message, write_message
from services.logistics.rfid.llrp.plan import Plan, ro_spec
from services.logistics.rfid.llrp.session import Broken, Happening, InputChanged, Noticed, Session
from services.logistics.rfid.llrp.sights import Sight, Sights
from services.logistics.rfid.llrp.wire import Frame, Frames, write_frame

S = 1_000_000
NOW = 1_800_000_000 * S
PLAN = Plan(antennas=(1, 2), keepalive_s=5)
OK = make("LLRPStatus")


def _refused(status: int, why: str = "no") -> Item:
    return make("LLRPStatus", Status=status, ErrorDescription=why)


class Scripted:
    """A reader that answers by a table: names of requests to messages, or to what makes one of the request."""

    def __init__(
        self, plan: Plan = PLAN, *, asks_version: bool = True, **answers: Item | Callable[[Item], Item]
    ) -> None:
        self.sights = Sights("gate-1")
        self.session = Session(plan, self.sights, asks_version=asks_version, now_us=NOW)
        self.heard: list[tuple[int, Item]] = []
        self.answers = answers
        self._frames = Frames()

    def begin(self, *, at_us: int = NOW, **time: Item) -> list[Happening]:
        event = make("ConnectionAttemptEvent", Event=0)
        told = time or {"UTCTimestamp": make("UTCTimestamp", Microseconds=at_us)}
        return self.say(self.notification(ConnectionAttemptEvent=event, **told), at_us)

    def notification(self, **values: Any) -> Item:
        return make(
            "ReaderEventNotification", ReaderEventNotificationData=make("ReaderEventNotificationData", **values)
        )

    def say(self, message: Item, now_us: int = NOW, *, id: int = 0, version: int = 1) -> list[Happening]:
        """The reader says something; whatever is asked thereupon it answers."""
        happened = self.session.receive(write_frame(Frame(version, *_numbered(message, id))), now_us)
        while self.session.outgoing:
            sent, self.session.outgoing = bytes(self.session.outgoing), bytearray()
            for frame in self._frames.feed(sent):
                request = read_message(frame)
                self.heard.append((frame.version, request))
                if answer := self.answer(request):
                    happened += self.session.receive(
                        write_frame(Frame(frame.version, *_numbered(answer, frame.id))), now_us
                    )
        self.session.check_time(now_us)
        return happened

    def answer(self, request: Item) -> Item | None:
        if request.name in ("KeepAliveAck", "EnableEventsAndReports", "CloseConnection"):
            return None
        if (scripted := self.answers.get(request.name)) is not None:
            return scripted if isinstance(scripted, Item) else scripted(request)
        if request.name == "GetSupportedVersion":
            return make("ErrorMessage", LLRPStatus=_refused(110))
        return make(f"{request.name}Response", LLRPStatus=OK)

    @property
    def asked(self) -> list[str]:
        return [item.name for _, item in self.heard]


def _numbered(message: Item, id: int) -> tuple[int, int, bytes]:
    number, body = write_message(message)
    return number, id, body


SET_UP = ["SetReaderConfig", "EnableEventsAndReports", "GetROSpecs", "AddROSpec", "EnableROSpec", "StartROSpec"]


def test_a_reader_of_1_0_1_is_set_up_in_its_version() -> None:
    reader = Scripted()
    reader.begin()
    assert reader.asked == ["GetSupportedVersion", "GetReaderCapabilities", *SET_UP]
    assert [version for version, _ in reader.heard] == [2, *[1] * 7]
    assert reader.session.is_ready


def test_a_reader_of_1_1_agrees_on_its_version() -> None:
    told = make("GetSupportedVersionResponse", CurrentVersion=1, MaxSupportedVersion=2, LLRPStatus=OK)
    reader = Scripted(GetSupportedVersion=told)
    reader.begin()
    assert reader.asked == ["GetSupportedVersion", "SetProtocolVersion", "GetReaderCapabilities", *SET_UP]
    assert {version for version, _ in reader.heard} == {2}
    assert reader.heard[1][1]["TargetVersion"] == 2
    assert (reader.session.is_ready, reader.session.version) == (True, 2)


def test_what_a_reader_can_is_used() -> None:
    device = make("GeneralDeviceCapabilities", GPIOCapabilities=make("GPIOCapabilities", NumGPIs=2, NumGPOs=2))
    holds = make("LLRPCapabilities", SupportsEventsAndReportHolding=True)
    told = make(
        "GetReaderCapabilitiesResponse", LLRPStatus=OK, GeneralDeviceCapabilities=device, LLRPCapabilities=holds
    )
    reader = Scripted(GetReaderCapabilities=told)
    reader.begin()
    config = next(item for _, item in reader.heard if item.name == "SetReaderConfig")
    assert config["EventsAndReports"]["HoldEventsAndReportsUponReconnect"] is True
    assert [(one["Port"], one["Enabled"]) for one in config["GPIPortCurrentStates"]] == [(1, True), (2, True)]
    assert config["KeepAliveSpec"].values == {"Trigger": 1, "Interval": 5000}


@pytest.mark.parametrize(
    ("state", "more"),
    [(2, []), (1, ["StartROSpec"]), (0, ["EnableROSpec", "StartROSpec"])],
    ids=["active", "idle", "off"],
)
def test_an_operation_of_ours_is_left_and_those_of_ours_before_are_taken_away(state: int, more: list[str]) -> None:
    ours, other, foreign = ro_spec(PLAN), ro_spec(Plan(antennas=(3,))), ro_spec(PLAN)
    ours.values["ROSpecCurrentState"], foreign.values["ROSpecID"] = state, 14150
    reader = Scripted(GetROSpecs=make("GetROSpecsResponse", LLRPStatus=OK, ROSpecs=[foreign, ours, other]))
    reader.begin()
    assert reader.asked[4:] == ["GetROSpecs", "DeleteROSpec", *more]
    assert reader.heard[5][1]["ROSpecID"] == other["ROSpecID"]
    assert reader.session.is_ready


def test_an_operation_of_another_program_that_is_in_the_way_is_named_and_left() -> None:
    foreign = ro_spec(PLAN)
    foreign.values["ROSpecID"] = 14150
    reader = Scripted(
        GetROSpecs=make("GetROSpecsResponse", LLRPStatus=OK, ROSpecs=[foreign]),
        AddROSpec=make("AddROSpecResponse", LLRPStatus=_refused(106, "table full")),
    )
    with pytest.raises(Broken, match="another program has set up the operations 14150"):
        reader.begin()
    assert "DeleteROSpec" not in reader.asked


@pytest.mark.parametrize("request_name", ["SetReaderConfig", "AddROSpec", "EnableROSpec", "StartROSpec"])
def test_a_refusal_while_setting_up_breaks_the_connection(request_name: str) -> None:
    reader = Scripted(**{request_name: make(f"{request_name}Response", LLRPStatus=_refused(201, "power index"))})
    with pytest.raises(Broken, match="201: power index"):
        reader.begin()
    assert not reader.session.is_ready


@pytest.mark.parametrize("told", ["00162512FFFF25D6", "00162512FFFF25D7", None])
def test_only_the_reader_that_was_set_up_is_read(told: str | None) -> None:
    identity = make("Identification", ReaderID=bytes.fromhex(told)) if told else None
    answer = make("GetReaderConfigResponse", LLRPStatus=OK, Identification=identity)
    reader = Scripted(Plan(identity="00162512FFFF25D6"), GetReaderConfig=answer)
    if told == "00162512FFFF25D6":
        reader.begin()
        assert reader.session.is_ready
        return
    with pytest.raises(Broken, match="another reader"):
        reader.begin()


@pytest.mark.parametrize("told", ["00162512FFFF25D6", "00162512FFFF25D7"])
def test_what_is_reported_before_a_reader_has_said_who_it_is_counts_when_it_is_the_right_one(told: str) -> None:
    reader = Scripted(Plan(identity="00162512FFFF25D6"), asks_version=False, GetReaderConfig=lambda _: None)  # type: ignore[arg-type, return-value]
    reader.begin()
    assert reader.say(_report(LastSeenUTC=make("LastSeenUTC", LastSeen=NOW))) == []
    _, asked = reader.session._awaited  # type: ignore[misc]
    answer = make(
        "GetReaderConfigResponse", LLRPStatus=OK, Identification=make("Identification", ReaderID=bytes.fromhex(told))
    )
    heard = reader.session.receive(write_frame(Frame(1, *_numbered(answer, asked))), NOW)
    assert [type(one) for one in heard] == ([Sight] if told == "00162512FFFF25D6" else [])
    assert (reader.sights.repeated, len(reader.sights._keys)) == (0, len(heard)), "what did not count may come again"


def test_a_reader_that_never_says_who_it_is_fills_no_memory() -> None:
    reader = Scripted(Plan(identity="00162512FFFF25D6"), asks_version=False, GetReaderConfig=lambda _: None)  # type: ignore[arg-type, return-value]
    reader.begin()
    for _ in range(17):
        assert reader.session.receive(write_frame(Frame(1, 61, 1, bytes(1_000_000))), NOW) == []
    with pytest.raises(Broken, match="more and more"):
        reader.session.check_time(NOW)


def test_a_refused_connection_and_a_farewell_break_it() -> None:
    reader = Scripted()
    with pytest.raises(Broken, match="refuses the connection with status 2"):
        reader.say(reader.notification(ConnectionAttemptEvent=make("ConnectionAttemptEvent", Event=2)))
    reader = Scripted()
    reader.begin()
    another = reader.notification(ConnectionAttemptEvent=make("ConnectionAttemptEvent", Event=4))
    assert reader.say(another) == [] and reader.session.is_ready, "another client called and was sent away"
    with pytest.raises(Broken, match="closes"):
        reader.say(reader.notification(ConnectionCloseEvent=make("ConnectionCloseEvent")))


def test_silence_is_noticed_after_three_keepalives_and_keepalives_are_answered() -> None:
    reader = Scripted()
    reader.begin()
    reader.say(make("KeepAlive"), NOW + 14 * S, id=77)
    assert reader.asked[-1] == "KeepAliveAck"
    reader.session.check_time(NOW + 29 * S)
    with pytest.raises(Broken, match="silent for 3 keepalives"):
        reader.session.check_time(NOW + 29 * S + 1)


def test_a_missing_answer_is_noticed() -> None:
    quiet = Session(PLAN, Sights("gate-1"), asks_version=True, now_us=NOW)
    quiet.check_time(NOW + 10 * S)
    with pytest.raises(Broken, match="does not answer"):
        quiet.check_time(NOW + 10 * S + 1)
    reader = Scripted(asks_version=False, GetROSpecs=lambda request: None)  # type: ignore[arg-type, return-value]
    reader.begin()
    assert not reader.session.is_ready
    with pytest.raises(Broken, match="does not answer"):
        reader.session.check_time(NOW + 10 * S + 1)


def test_malformed_messages_are_stepped_over_until_they_are_too_many() -> None:
    reader = Scripted()
    reader.begin()
    broken = write_frame(Frame(1, 61, 1, b"\x00\xf0\x00\x08\x81\x00"))
    for _ in range(19):
        assert reader.session.receive(broken, NOW) == []
    assert len(reader.say(_report(LastSeenUTC=make("LastSeenUTC", LastSeen=NOW)))) == 1
    reader.session.check_time(NOW)
    reader.session.receive(broken, NOW)
    with pytest.raises(Broken, match="20 messages"):
        reader.session.check_time(NOW)


def test_what_came_before_the_end_of_a_connection_still_counts() -> None:
    """A last report and a farewell, or rubbish, in one piece: the report is heard, and then the connection is over."""
    farewell = make("ReaderEventNotificationData", ConnectionCloseEvent=make("ConnectionCloseEvent"))
    goodbye = write_frame(
        Frame(1, *_numbered(make("ReaderEventNotification", ReaderEventNotificationData=farewell), 0))
    )
    for end, why in ((goodbye, "closes"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not LLRP")):
        reader = Scripted()
        reader.begin()
        report = write_frame(Frame(1, *_numbered(_report(LastSeenUTC=make("LastSeenUTC", LastSeen=NOW)), 0)))
        assert len(reader.session.receive(report + end, NOW)) == 1
        with pytest.raises(Broken, match=why):
            reader.session.check_time(NOW)


def _report(epc: str = "3074257BF7194E4000001A85", **told: Item) -> Item:
    tag = make(
        "TagReportData", EPC96=make("EPC96", EPC=bytes.fromhex(epc)), AntennaID=make("AntennaID", AntennaID=2), **told
    )
    return make("ROAccessReport", TagReportData=[tag])


def _one(happened: list[Happening]) -> Sight:
    (sight,) = happened
    assert isinstance(sight, Sight)
    return sight


def test_a_slow_clock_is_measured_at_the_connection_and_held_reports_keep_their_time() -> None:
    """The reader's clock is an hour behind; after a break of five minutes it sends what it held."""
    reader, behind = Scripted(), 3_600 * S
    reader.begin(at_us=NOW, UTCTimestamp=make("UTCTimestamp", Microseconds=NOW - behind))
    held = _report(LastSeenUTC=make("LastSeenUTC", LastSeen=NOW - behind - 300 * S))
    sight = _one(reader.say(held, NOW + S))
    assert (sight.last_us, sight.told_last, sight.received_us) == (NOW - 300 * S, NOW - behind - 300 * S, NOW + S)
    assert not sight.is_skewed


def test_a_reader_without_a_clock_is_timed_by_its_uptime_even_after_it_restarted() -> None:
    reader = Scripted()
    reader.begin(Uptime=make("Uptime", Microseconds=900 * S))
    first = _one(reader.say(_report(LastSeenUptime=make("LastSeenUptime", LastSeen=901 * S)), NOW + S))
    assert (first.last_us, first.clock) == (NOW + S, "uptime")
    again = Session(PLAN, reader.sights, asks_version=False, now_us=NOW)
    reader.session = again
    reader.begin(at_us=NOW + 60 * S, Uptime=make("Uptime", Microseconds=5 * S))
    second = _one(reader.say(_report(LastSeenUptime=make("LastSeenUptime", LastSeen=4 * S)), NOW + 61 * S))
    assert second.last_us == NOW + 59 * S


def test_a_clock_that_is_days_off_is_flagged_and_no_clock_is_ours() -> None:
    reader = Scripted()
    reader.begin(UTCTimestamp=make("UTCTimestamp", Microseconds=1))
    assert _one(reader.say(_report(LastSeenUTC=make("LastSeenUTC", LastSeen=2)))).is_skewed
    bare = _one(reader.say(_report(), NOW + 7))
    assert (bare.first_us, bare.last_us, bare.key, bare.clock) == (NOW + 7, NOW + 7, None, "none")
    assert len(reader.say(_report(), NOW + 8)) == 1, "without a time nothing tells two sights apart, so both count"


def test_a_report_that_comes_again_counts_once() -> None:
    reader = Scripted()
    reader.begin()
    report = _report(FirstSeenUTC=make("FirstSeenUTC", FirstSeen=NOW))
    other = _report("3074257BF7194E4000001A86", FirstSeenUTC=make("FirstSeenUTC", FirstSeen=NOW))
    assert [len(reader.say(one, NOW + n)) for n, one in enumerate((report, report, other, report))] == [1, 0, 1, 0]
    assert reader.sights.repeated == 2


def test_inputs_are_timed_and_other_events_are_told() -> None:
    reader = Scripted()
    reader.begin(UTCTimestamp=make("UTCTimestamp", Microseconds=NOW - 9 * S))
    event = {
        "GPIEvent": make("GPIEvent", Port=1, Event=True),
        "UTCTimestamp": make("UTCTimestamp", Microseconds=NOW - 8 * S),
    }
    assert reader.say(reader.notification(**event), NOW + 2 * S) == [InputChanged("gate-1", 1, True, NOW + S)]
    full = reader.notification(ReportBufferLevelWarningEvent=make("ReportBufferLevelWarningEvent", PercentFull=90))
    assert reader.say(full) == [Noticed("gate-1", "ReportBufferLevelWarningEvent", {"PercentFull": 90})]


def test_while_nothing_is_read_outputs_are_switched_blindly_and_what_was_to_be_switched_is_forgotten() -> None:
    config = make("SetReaderConfigResponse", LLRPStatus=OK)
    waits: list[Item] = []

    def answer(request: Item) -> Item | None:
        return waits.append(request) if request["GPOWriteData"] else config

    reader = Scripted(SetReaderConfig=answer)
    reader.begin()
    for outputs in ({1: True}, {2: True}):
        reader.session.switch(outputs, NOW)
    reader.session.switch_blindly({1: False})
    frames = list(Frames().feed(bytes(reader.session.outgoing)))
    sent = [{one["Port"]: one["Data"] for one in read_message(frame)["GPOWriteData"]} for frame in frames]
    assert sent == [{1: True}, {1: False}], "the first was under way"
    assert reader.session.outputs == [{1: True}], "and is told when its answer comes"
    reader.session.outgoing.clear()
    reader.session.receive(write_frame(Frame(1, *_numbered(config, frames[0].id))), NOW)
    assert reader.session.outputs == [] and not reader.session.outgoing
