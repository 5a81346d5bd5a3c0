"""A reader that speaks LLRP 1.0.1 and 1.1, without its socket: bytes in, bytes out, and what it holds in between.

It does what real readers do: its operations outlive a connection, what it cannot send it holds (as many as a Zebra FX does) and
sends when it is told to, it tells of inputs, and switches outputs. Access operations (writing tags) it does not do, and says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from services.logistics.rfid.llrp.codec import Item, make, read_message, write_message
from services.logistics.rfid.llrp.wire import Frame, Frames, Malformed, write_frame

HELD = 66_000
TAGS_A_REPORT = 50
INPUTS = OUTPUTS = 4
_SUCCESS, _PARAMETER_ERROR, _FIELD_ERROR, _UNSUPPORTED, _UNKNOWN_MESSAGE = 0, 100, 101, 109, 110
_DISABLED, _INACTIVE, _ACTIVE, _IMMEDIATE, _PERIODIC, _INPUT = 0, 1, 2, 1, 2, 3
_MAKER, _MODEL = 0, 1
_MODE = make("UHFC1G2RFModeTableEntry", ModeID=1, BackscatterDataRate=250_000, PIERatio=2_000)


class Told(msgspec.Struct, frozen=True):
    """A tag to be reported: the reader's own time in microseconds since 1970."""

    epc: str
    antenna: int
    rssi_dbm: int
    at_us: int


class LlrpReader:
    """One reader. ``switched`` is told each output as it is switched."""

    def __init__(self, identity: str, antennas: int, switched: Callable[[int, bool], None] = lambda port, high: None):
        self.identity, self.antennas = bytes.fromhex(identity), antennas
        self.outputs = dict.fromkeys(range(1, OUTPUTS + 1), False)
        self.inputs = dict.fromkeys(range(1, INPUTS + 1), False)
        self.held: deque[Told] = deque(maxlen=HELD)
        self.outgoing = bytearray()
        self.is_connected = self.is_over = False
        self._switched = switched
        self._specs: dict[int, Item] = {}
        self._frames = Frames()
        self._version, self._id = 1, 0
        self._holds_at_connect, self._is_holding = False, False
        self._keepalive_us, self._alive_at = 0, 0

    @property
    def is_reading(self) -> bool:
        """Whether an operation runs."""
        return any(spec["ROSpecCurrentState"] == _ACTIVE for spec in self._specs.values())

    def connect(self, now_us: int) -> None:
        """A client came: tell it what time it is."""
        self._frames, self.outgoing = Frames(), bytearray()
        self.is_connected, self.is_over, self._is_holding = True, False, self._holds_at_connect
        self._alive_at = now_us
        self._notify("ConnectionAttemptEvent", now_us, Event=0)

    def disconnect(self) -> None:
        """The client is gone; what was not sent is kept."""
        self.is_connected = False

    def receive(self, data: bytes, now_us: int) -> None:
        """Hear what the client says; ``is_over`` when the connection is to be closed."""
        try:
            for frame in self._frames.feed(data):
                self._hear(frame, now_us)
        except Malformed:
            self.is_over = True

    def see(self, tags: Iterable[Told], now_us: int) -> None:
        """Tags answer: they are reported, or held until they can be. Nobody hears them while no operation runs."""
        if self.is_reading:
            self.held.extend(tags)
            self._flush(now_us)

    def set_input(self, port: int, now_us: int, *, is_high: bool) -> None:
        """A photo-eye or switch at an input changes."""
        if self.inputs[port] is not is_high:
            self.inputs[port] = is_high
            if is_high:
                self._start_by(_INPUT)
            if self.is_connected:
                self._notify("GPIEvent", now_us, Port=port, Event=is_high)

    def check_time(self, now_us: int) -> None:
        """Send a keepalive when it is due."""
        if self.is_connected and self._keepalive_us and now_us - self._alive_at >= self._keepalive_us:
            self._alive_at = now_us
            self._send(make("KeepAlive"))

    def _flush(self, now_us: int) -> None:
        if not self.is_connected or self._is_holding:
            return
        while self.held:
            some = [self.held.popleft() for _ in range(min(len(self.held), TAGS_A_REPORT))]
            self._send(make("ROAccessReport", TagReportData=[_report(one) for one in some]))

    def _hear(self, frame: Frame, now_us: int) -> None:
        self._version = frame.version
        try:
            asked = read_message(frame)
        except Malformed as error:
            self._answer(frame, "ErrorMessage", LLRPStatus=_status(_UNKNOWN_MESSAGE, str(error)))
            return
        answer = _ANSWERS.get(asked.name)
        if answer is not None:
            name, values = answer(self, asked)
            self._answer(frame, name, **values)
        elif asked.name == "EnableEventsAndReports":
            self._is_holding = False
        elif asked.name not in ("KeepAliveAck", "GetReport"):
            told = _status(_UNSUPPORTED, f"{asked.name} is not supported")
            self._answer(frame, "ErrorMessage", LLRPStatus=told)
        self.is_over = self.is_over or asked.name == "CloseConnection"
        self._flush(now_us)

    def _answer(self, frame: Frame, name: str, **values: object) -> None:
        self._send(make(name, **values), id=frame.id)

    def _notify(self, event: str, now_us: int, **values: object) -> None:
        data = make("ReaderEventNotificationData", UTCTimestamp=make("UTCTimestamp", Microseconds=now_us))
        data.values[event] = make(event, **values)
        self._send(make("ReaderEventNotification", ReaderEventNotificationData=data))

    def _send(self, message: Item, id: int | None = None) -> None:
        if id is None:
            self._id += 1
            id = self._id
        number, body = write_message(message)
        self.outgoing += write_frame(Frame(self._version, number, id, body))

    def _tell_versions(self, asked: Item) -> tuple[str, dict[str, object]]:
        return "GetSupportedVersionResponse", {"CurrentVersion": 1, "MaxSupportedVersion": 2, "LLRPStatus": _status()}

    def _set_version(self, asked: Item) -> tuple[str, dict[str, object]]:
        wrong = "" if asked["TargetVersion"] in (1, 2) else "no such version"
        return "SetProtocolVersionResponse", {"LLRPStatus": _status(_FIELD_ERROR if wrong else _SUCCESS, wrong)}

    def _tell_capabilities(self, asked: Item) -> tuple[str, dict[str, object]]:
        general = make(
            "GeneralDeviceCapabilities",
            MaxSupportedAntennas=self.antennas, HasUTCClock=True, DeviceManufacturer=_MAKER, Model=_MODEL,
            FirmwareVersion="simulated", GPIOCapabilities=make("GPIOCapabilities", NumGPIs=INPUTS, NumGPOs=OUTPUTS),
            ReceiveSensitivities=[make("ReceiveSensitivityTableEntry", Index=1)],
            PerAntennaAirProtocols=[
                make("PerAntennaAirProtocol", AntennaID=n + 1, AirProtocolIDs=[1]) for n in range(self.antennas)
            ],
        )  # fmt: skip
        holds = make("LLRPCapabilities", SupportsEventsAndReportHolding=True, MaxROSpecs=8, MaxSpecsPerROSpec=8)
        power = [make("TransmitPowerLevelTableEntry", Index=1, TransmitPowerValue=3_000)]
        band = make(
            "UHFBandCapabilities",
            TransmitPowerLevels=power,
            FrequencyInformation=make(
                "FrequencyInformation", FixedFrequencyTable=make("FixedFrequencyTable", Frequencies=[922_625])
            ),
            C1G2RFModes=make("UHFC1G2RFModeTable", UHFC1G2RFModeTableEntries=[_MODE]),
        )
        regulatory = make("RegulatoryCapabilities", CountryCode=156, UHFBandCapabilities=band)
        return "GetReaderCapabilitiesResponse", {
            "LLRPStatus": _status(),
            "GeneralDeviceCapabilities": general,
            "LLRPCapabilities": holds,
            "RegulatoryCapabilities": regulatory,
            "C1G2LLRPCapabilities": make("C1G2LLRPCapabilities"),
        }

    def _tell_config(self, asked: Item) -> tuple[str, dict[str, object]]:
        outputs = [make("GPOWriteData", Port=port, Data=high) for port, high in self.outputs.items()]
        inputs = [
            make("GPIPortCurrentState", Port=port, Enabled=True, State=int(high)) for port, high in self.inputs.items()
        ]
        return "GetReaderConfigResponse", {
            "LLRPStatus": _status(),
            "Identification": make("Identification", IDType=0, ReaderID=self.identity),
            "GPOWriteData": outputs,
            "GPIPortCurrentStates": inputs,
            "KeepAliveSpec": make(
                "KeepAliveSpec", Trigger=int(self._keepalive_us > 0), Interval=self._keepalive_us // 1_000
            ),
            "EventsAndReports": make("EventsAndReports", HoldEventsAndReportsUponReconnect=self._holds_at_connect),
        }

    def _set_config(self, asked: Item) -> tuple[str, dict[str, object]]:
        outputs = asked["GPOWriteData"]
        if any(one["Port"] not in self.outputs for one in outputs):
            return "SetReaderConfigResponse", {"LLRPStatus": _status(_PARAMETER_ERROR, "there is no such output")}
        if asked["ResetToFactoryDefaults"]:
            self._specs.clear()
            self._keepalive_us, self._holds_at_connect = 0, False
        if keepalive := asked["KeepAliveSpec"]:
            self._keepalive_us = keepalive["Interval"] * 1_000 if keepalive["Trigger"] else 0
        if events := asked["EventsAndReports"]:
            self._holds_at_connect = events["HoldEventsAndReportsUponReconnect"]
        for one in outputs:
            self.outputs[one["Port"]] = one["Data"]
            self._switched(one["Port"], one["Data"])
        return "SetReaderConfigResponse", {"LLRPStatus": _status()}

    def _add_spec(self, asked: Item) -> tuple[str, dict[str, object]]:
        spec = asked["ROSpec"]
        if not spec["ROSpecID"] or spec["ROSpecID"] in self._specs or spec["ROSpecCurrentState"] != _DISABLED:
            return "AddROSpecResponse", {
                "LLRPStatus": _status(_PARAMETER_ERROR, "its id is 0 or taken, or it is not disabled")
            }
        self._specs[spec["ROSpecID"]] = spec
        return "AddROSpecResponse", {"LLRPStatus": _status()}

    def _delete_spec(self, asked: Item) -> tuple[str, dict[str, object]]:
        return self._each(asked, lambda id: self._specs.pop(id))

    def _enable_spec(self, asked: Item) -> tuple[str, dict[str, object]]:
        def enable(id: int) -> None:
            trigger = self._specs[id]["ROBoundarySpec"]["StartTrigger"]["Trigger"]
            self._put(id, _ACTIVE if trigger in (_IMMEDIATE, _PERIODIC) else _INACTIVE)

        return self._each(asked, enable)

    def _start_spec(self, asked: Item) -> tuple[str, dict[str, object]]:
        return self._each(asked, lambda id: self._put(id, _ACTIVE), needs=(_INACTIVE, _ACTIVE))

    def _stop_spec(self, asked: Item) -> tuple[str, dict[str, object]]:
        return self._each(asked, lambda id: self._put(id, _INACTIVE), needs=(_INACTIVE, _ACTIVE))

    def _disable_spec(self, asked: Item) -> tuple[str, dict[str, object]]:
        return self._each(asked, lambda id: self._put(id, _DISABLED))

    def _each(
        self, asked: Item, act: Callable[[int], object], needs: tuple[int, ...] = (_DISABLED, _INACTIVE, _ACTIVE)
    ) -> tuple[str, dict[str, object]]:
        """Do something with the operation that is named, with all of them where it is 0."""
        name, wanted = f"{asked.name}Response", asked["ROSpecID"]
        chosen = list(self._specs) if wanted == 0 else [wanted]
        if any(id not in self._specs or self._specs[id]["ROSpecCurrentState"] not in needs for id in chosen):
            return name, {"LLRPStatus": _status(_FIELD_ERROR, "there is no such operation, or not in a state for it")}
        for id in chosen:
            act(id)
        return name, {"LLRPStatus": _status()}

    def _put(self, id: int, state: int) -> None:
        self._specs[id].values["ROSpecCurrentState"] = state

    def _start_by(self, trigger: int) -> None:
        for id, spec in self._specs.items():
            waits = spec["ROSpecCurrentState"] == _INACTIVE
            if waits and spec["ROBoundarySpec"]["StartTrigger"]["Trigger"] == trigger:
                self._put(id, _ACTIVE)

    def _tell_specs(self, asked: Item) -> tuple[str, dict[str, object]]:
        return "GetROSpecsResponse", {"LLRPStatus": _status(), "ROSpecs": list(self._specs.values())}

    def _tell_access(self, asked: Item) -> tuple[str, dict[str, object]]:
        return "GetAccessSpecsResponse", {"LLRPStatus": _status()}

    def _delete_access(self, asked: Item) -> tuple[str, dict[str, object]]:
        return "DeleteAccessSpecResponse", {"LLRPStatus": _status()}

    def _close(self, asked: Item) -> tuple[str, dict[str, object]]:
        return "CloseConnectionResponse", {"LLRPStatus": _status()}


_ANSWERS: dict[str, Callable[[LlrpReader, Item], tuple[str, dict[str, object]]]] = {
    "GetSupportedVersion": LlrpReader._tell_versions,
    "SetProtocolVersion": LlrpReader._set_version,
    "GetReaderCapabilities": LlrpReader._tell_capabilities,
    "GetReaderConfig": LlrpReader._tell_config,
    "SetReaderConfig": LlrpReader._set_config,
    "AddROSpec": LlrpReader._add_spec,
    "DeleteROSpec": LlrpReader._delete_spec,
    "EnableROSpec": LlrpReader._enable_spec,
    "StartROSpec": LlrpReader._start_spec,
    "StopROSpec": LlrpReader._stop_spec,
    "DisableROSpec": LlrpReader._disable_spec,
    "GetROSpecs": LlrpReader._tell_specs,
    "GetAccessSpecs": LlrpReader._tell_access,
    "DeleteAccessSpec": LlrpReader._delete_access,
    "CloseConnection": LlrpReader._close,
}


def _status(code: int = _SUCCESS, why: str = "") -> Item:
    return make("LLRPStatus", Status=code, ErrorDescription=why)


def _report(told: Told) -> Item:
    return make(
        "TagReportData",
        EPC96=make("EPC96", EPC=bytes.fromhex(told.epc)),
        AntennaID=make("AntennaID", AntennaID=told.antenna),
        PeakRSSI=make("PeakRSSI", PeakRSSI=max(-128, told.rssi_dbm)),
        FirstSeenUTC=make("FirstSeenUTC", FirstSeen=told.at_us),
        LastSeenUTC=make("LastSeenUTC", LastSeen=told.at_us),
        TagSeenCount=make("TagSeenCount", TagSeenCount=1),
    )
