"""LLRP's parameters as a table: number, name | fields | parameters inside (LLRP 1.1, section 17.2).

A field is ``name:kind``: ``u8 u16 u32 u64 i8 i16`` numbers, ``b`` one bit, ``n2`` a number of two bits, ``-:5`` five reserved bits,
``text bytes bits u8s u16s u32s`` counted lists, ``x12`` twelve bytes, ``rest`` what is left. A parameter inside is its type,
``?`` when it may be missing, ``*`` when there may be many, ``name=`` before it when it is called otherwise there.
Numbers up to 127 are written without a length (TV), others with one (TLV).
"""

PARAMETERS = """
1 AntennaID | AntennaID:u16
2 FirstSeenUTC | FirstSeen:u64
3 FirstSeenUptime | FirstSeen:u64
4 LastSeenUTC | LastSeen:u64
5 LastSeenUptime | LastSeen:u64
6 PeakRSSI | PeakRSSI:i8
7 ChannelIndex | ChannelIndex:u16
8 TagSeenCount | TagSeenCount:u16
9 ROSpecID | ROSpecID:u32
10 InventoryParameterSpecID | InventoryParameterSpecID:u16
11 C1G2CRC | C1G2CRC:u16
12 C1G2PC | EPCMemoryLength:n5 HasUserMemory:b HasXPC:b IsISO15961:b AttributesOrAFI:u8
13 EPC96 | EPC:x12
14 SpecIndex | SpecIndex:u16
15 ClientRequestOpSpecResult | ClientRequestOpSpecResult:u16
16 AccessSpecID | AccessSpecID:u32
17 OpSpecID | OpSpecID:u16
18 C1G2SingulationDetails | NumCollisionSlots:u16 NumEmptySlots:u16
19 C1G2XPCW1 | C1G2XPCW1:u16
20 C1G2XPCW2 | C1G2XPCW2:u16
128 UTCTimestamp | Microseconds:u64
129 Uptime | Microseconds:u64
137 GeneralDeviceCapabilities | MaxSupportedAntennas:u16 CanSetAntennaProperties:b HasUTCClock:b -:14 DeviceManufacturer:u32 Model:u32 FirmwareVersion:text | ReceiveSensitivities=ReceiveSensitivityTableEntry* PerAntennaReceiveSensitivityRanges=PerAntennaReceiveSensitivityRange* GPIOCapabilities? PerAntennaAirProtocols=PerAntennaAirProtocol* MaximumReceiveSensitivity?
139 ReceiveSensitivityTableEntry | Index:u16 ReceiveSensitivity:u16
140 PerAntennaAirProtocol | AntennaID:u16 AirProtocolIDs:u8s
141 GPIOCapabilities | NumGPIs:u16 NumGPOs:u16
142 LLRPCapabilities | CanDoRFSurvey:b CanReportBufferFillWarning:b SupportsClientRequestOpSpec:b CanDoTagInventoryStateAwareSingulation:b SupportsEventsAndReportHolding:b -:3 MaxPriorityLevelSupported:u8 ClientRequestedOpSpecTimeout:u16 MaxROSpecs:u32 MaxSpecsPerROSpec:u32 MaxInventoryParameterSpecsPerAISpec:u32 MaxAccessSpecs:u32 MaxOpSpecsPerAccessSpec:u32
143 RegulatoryCapabilities | CountryCode:u16 CommunicationsStandard:u16 | UHFBandCapabilities? Custom*
144 UHFBandCapabilities || TransmitPowerLevels=TransmitPowerLevelTableEntry* FrequencyInformation? C1G2RFModes=UHFC1G2RFModeTable? RFSurveyFrequencyCapabilities?
145 TransmitPowerLevelTableEntry | Index:u16 TransmitPowerValue:i16
146 FrequencyInformation | Hopping:b -:7 | FrequencyHopTables=FrequencyHopTable* FixedFrequencyTable?
147 FrequencyHopTable | HopTableID:u8 -:8 Frequencies:u32s
148 FixedFrequencyTable | Frequencies:u32s
149 PerAntennaReceiveSensitivityRange | AntennaID:u16 ReceiveSensitivityIndexMin:u16 ReceiveSensitivityIndexMax:u16
177 ROSpec | ROSpecID:u32 Priority:u8 ROSpecCurrentState:u8 | ROBoundarySpec AISpecs=AISpec* RFSurveySpecs=RFSurveySpec* Custom* LoopSpec? ROReportSpec?
178 ROBoundarySpec || StartTrigger=ROSpecStartTrigger StopTrigger=ROSpecStopTrigger
179 ROSpecStartTrigger | Trigger:u8 | PeriodicTrigger=PeriodicTriggerValue? GPITrigger=GPITriggerValue?
180 PeriodicTriggerValue | Offset:u32 Period:u32 | UTCTimestamp?
181 GPITriggerValue | Port:u16 Event:b -:7 Timeout:u32
182 ROSpecStopTrigger | Trigger:u8 DurationTriggerValue:u32 | GPITriggerValue?
183 AISpec | AntennaIDs:u16s | StopTrigger=AISpecStopTrigger InventoryParameterSpecs=InventoryParameterSpec* Custom*
184 AISpecStopTrigger | Trigger:u8 DurationTriggerValue:u32 | GPITrigger=GPITriggerValue? TagObservationTrigger?
185 TagObservationTrigger | Trigger:u8 -:8 NumberofTags:u16 NumberofAttempts:u16 T:u16 Timeout:u32
186 InventoryParameterSpec | InventoryParameterSpecID:u16 AirProtocolID:u8 | AntennaConfigurations=AntennaConfiguration* Custom*
187 RFSurveySpec | AntennaID:u16 StartFrequency:u32 EndFrequency:u32 | Trigger=RFSurveySpecStopTrigger Custom*
188 RFSurveySpecStopTrigger | Trigger:u8 Duration:u32 N:u32
207 AccessSpec | AccessSpecID:u32 AntennaID:u16 AirProtocolID:u8 IsActive:b -:7 ROSpecID:u32 | Trigger=AccessSpecStopTrigger AccessCommand AccessReportSpec? Custom*
208 AccessSpecStopTrigger | Trigger:u8 OperationCountValue:u16
209 AccessCommand || C1G2TagSpec C1G2Read* C1G2Write* C1G2Kill* C1G2Recommission* C1G2Lock* C1G2BlockErase* C1G2BlockWrite* C1G2BlockPermalock* C1G2GetBlockPermalockStatus* ClientRequestOpSpec* Custom*
210 ClientRequestOpSpec | OpSpecID:u16
211 ClientRequestResponse | AccessSpecID:u32 | EPCData C1G2Read* C1G2Write* C1G2Kill* C1G2Recommission* C1G2Lock* C1G2BlockErase* C1G2BlockWrite* C1G2BlockPermalock* C1G2GetBlockPermalockStatus* ClientRequestOpSpec* Custom*
217 LLRPConfigurationStateValue | LLRPConfigurationState:u32
218 Identification | IDType:u8 ReaderID:bytes
219 GPOWriteData | Port:u16 Data:b -:7
220 KeepAliveSpec | Trigger:u8 Interval:u32
221 AntennaProperties | AntennaConnected:b -:7 AntennaID:u16 AntennaGain:i16
222 AntennaConfiguration | AntennaID:u16 | RFReceiver? RFTransmitter? C1G2InventoryCommand? Custom*
223 RFReceiver | ReceiverSensitivityIndex:u16
224 RFTransmitter | HopTableID:u16 ChannelIndex:u16 TransmitPowerIndex:u16
225 GPIPortCurrentState | Port:u16 Enabled:b -:7 State:u8
226 EventsAndReports | HoldEventsAndReportsUponReconnect:b -:7
237 ROReportSpec | Trigger:u8 N:u16 | TagReportContentSelector Custom*
238 TagReportContentSelector | EnableROSpecID:b EnableSpecIndex:b EnableInventoryParamSpecID:b EnableAntennaID:b EnableChannelIndex:b EnablePeakRSSI:b EnableFirstSeenTimestamp:b EnableLastSeenTimestamp:b EnableTagSeenCount:b EnableAccessSpecID:b -:6 | C1G2EPCMemorySelector? Custom*
239 AccessReportSpec | Trigger:u8
240 TagReportData || EPCData? EPC96? ROSpecID? SpecIndex? InventoryParameterSpecID? AntennaID? PeakRSSI? ChannelIndex? FirstSeenUTC? FirstSeenUptime? LastSeenUTC? LastSeenUptime? TagSeenCount? C1G2PC? C1G2XPCW1? C1G2XPCW2? C1G2CRC? AccessSpecID? C1G2ReadOpSpecResult? C1G2WriteOpSpecResult? C1G2KillOpSpecResult? C1G2LockOpSpecResult? C1G2BlockEraseOpSpecResult? C1G2BlockWriteOpSpecResult? C1G2RecommissionOpSpecResult? C1G2BlockPermalockOpSpecResult? C1G2GetBlockPermalockStatusOpSpecResult? ClientRequestOpSpecResult? Custom*
241 EPCData | EPC:bits
242 RFSurveyReportData || ROSpecID? SpecIndex? FrequencyRSSILevelEntries=FrequencyRSSILevelEntry* Custom*
243 FrequencyRSSILevelEntry | Frequency:u32 Bandwidth:u32 AverageRSSI:i8 PeakRSSI:i8 | UTCTimestamp? Uptime?
244 ReaderEventNotificationSpec || EventNotificationStates=EventNotificationState*
245 EventNotificationState | ReaderEventType:u16 NotificationEnabled:b -:7
246 ReaderEventNotificationData || UTCTimestamp? Uptime? HoppingEvent? GPIEvent? ROSpecEvent? ReportBufferLevelWarningEvent? ReportBufferOverflowErrorEvent? ReaderExceptionEvent? RFSurveyEvent? AISpecEvent? AntennaEvent? ConnectionAttemptEvent? ConnectionCloseEvent? SpecLoopEvent? Custom*
247 HoppingEvent | HopTableID:u16 NextChannelIndex:u16
248 GPIEvent | Port:u16 Event:b -:7
249 ROSpecEvent | Event:u8 ROSpecID:u32 PreemptingROSpecID:u32
250 ReportBufferLevelWarningEvent | PercentFull:u8
251 ReportBufferOverflowErrorEvent
252 ReaderExceptionEvent | Message:text | ROSpecID? SpecIndex? InventoryParameterSpecID? AntennaID? AccessSpecID? OpSpecID? Custom*
253 RFSurveyEvent | Event:u8 ROSpecID:u32 SpecIndex:u16
254 AISpecEvent | Event:u8 ROSpecID:u32 SpecIndex:u16 | SingulationDetails=C1G2SingulationDetails?
255 AntennaEvent | Event:u8 AntennaID:u16
256 ConnectionAttemptEvent | Event:u16
257 ConnectionCloseEvent
287 LLRPStatus | Status:u16 ErrorDescription:text | FieldError? ParameterError?
288 FieldError | FieldIndex:u16 ErrorCode:u16
289 ParameterError | ParameterType:u16 ErrorCode:u16 | ParameterError? FieldError?
327 C1G2LLRPCapabilities | SupportsBlockErase:b SupportsBlockWrite:b SupportsBlockPermalock:b SupportsTagRecommissioning:b SupportsUMIMethod2:b SupportsXPC:b -:2 MaxSelectFiltersPerQuery:u16
328 UHFC1G2RFModeTable || UHFC1G2RFModeTableEntries=UHFC1G2RFModeTableEntry*
329 UHFC1G2RFModeTableEntry | ModeID:u32 DivideRatio:n1 IsEPCHagConformant:b -:6 Modulation:u8 ForwardLinkModulation:u8 SpectralMask:u8 BackscatterDataRate:u32 PIERatio:u32 MinTariTime:u32 MaxTariTime:u32 StepTariTime:u32
330 C1G2InventoryCommand | TagInventoryStateAware:b -:7 | Filters=C1G2Filter* RFControl=C1G2RFControl? SingulationControl=C1G2SingulationControl? Custom*
331 C1G2Filter | TruncateAction:n2 -:6 | TagInventoryMask=C1G2TagInventoryMask AwareFilterAction=C1G2TagInventoryStateAwareFilterAction? UnawareFilterAction=C1G2TagInventoryStateUnawareFilterAction?
332 C1G2TagInventoryMask | MemoryBank:n2 -:6 MostSignificantBit:u16 TagMask:bits
333 C1G2TagInventoryStateAwareFilterAction | Target:u8 FilterAction:u8
334 C1G2TagInventoryStateUnawareFilterAction | FilterAction:u8
335 C1G2RFControl | RFModeID:u16 Tari:u16
336 C1G2SingulationControl | Session:n2 -:6 TagPopulation:u16 TagTransitTime:u32 | InvAwareAction=C1G2TagInventoryStateAwareSingulationAction?
337 C1G2TagInventoryStateAwareSingulationAction | InventoryState:n1 Selected:b -:6
338 C1G2TagSpec || TagPatterns=C1G2TargetTag*
339 C1G2TargetTag | C1G2MemoryBank:n2 MatchFlag:b -:5 MostSignificantBit:u16 TagMask:bits TagData:bits
341 C1G2Read | OpSpecID:u16 AccessPassword:u32 C1G2MemoryBank:n2 -:6 WordAddress:u16 WordCount:u16
342 C1G2Write | OpSpecID:u16 AccessPassword:u32 C1G2MemoryBank:n2 -:6 WordAddress:u16 Data:u16s
343 C1G2Kill | OpSpecID:u16 KillPassword:u32
344 C1G2Lock | OpSpecID:u16 AccessPassword:u32 | C1G2LockPayloads=C1G2LockPayload*
345 C1G2LockPayload | LockPrivilege:u8 LockData:u8
346 C1G2BlockErase | OpSpecID:u16 AccessPassword:u32 C1G2MemoryBank:n2 -:6 WordAddress:u16 WordCount:u16
347 C1G2BlockWrite | OpSpecID:u16 AccessPassword:u32 C1G2MemoryBank:n2 -:6 WordAddress:u16 Data:u16s
348 C1G2EPCMemorySelector | CRCEnabled:b PCBitsEnabled:b XPCBitsEnabled:b -:5
349 C1G2ReadOpSpecResult | C1G2ReadOpSpecResultType:u8 OpSpecID:u16 Data:u16s
350 C1G2WriteOpSpecResult | C1G2WriteOpSpecResultType:u8 OpSpecID:u16 WordsWritten:u16
351 C1G2KillOpSpecResult | C1G2KillResult:u8 OpSpecID:u16
352 C1G2LockOpSpecResult | C1G2LockResult:u8 OpSpecID:u16
353 C1G2BlockEraseOpSpecResult | C1G2BlockEraseResult:u8 OpSpecID:u16
354 C1G2BlockWriteOpSpecResult | C1G2BlockWriteResult:u8 OpSpecID:u16 WordsWritten:u16
355 LoopSpec | LoopCount:u32
356 SpecLoopEvent | ROSpecID:u32 LoopCount:u32
357 C1G2Recommission | OpSpecID:u16 KillPassword:u32 -:5 SB3:b SB2:b LSB:b
358 C1G2BlockPermalock | OpSpecID:u16 AccessPassword:u32 C1G2MemoryBank:n2 -:6 BlockAddress:u16 BlockMask:u16s
359 C1G2GetBlockPermalockStatus | OpSpecID:u16 AccessPassword:u32 C1G2MemoryBank:n2 -:6 BlockAddress:u16 BlockRange:u16
360 C1G2RecommissionOpSpecResult | C1G2RecommissionResult:u8 OpSpecID:u16
361 C1G2BlockPermalockOpSpecResult | C1G2BlockPermalockResult:u8 OpSpecID:u16
362 C1G2GetBlockPermalockStatusOpSpecResult | C1G2GetBlockPermalockStatusResult:u8 OpSpecID:u16 PermalockStatuses:u16s
363 MaximumReceiveSensitivity | MaxSensitivity:i16
365 RFSurveyFrequencyCapabilities | MinFrequency:u32 MaxFrequency:u32
1023 Custom | VendorID:u32 Subtype:u32 Data:rest
"""  # noqa: E501
