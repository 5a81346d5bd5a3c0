"""LLRP's messages as a table, written as in ``parameters`` (LLRP 1.1, section 17.1); 46, 47, 56 and 57 came with 1.1."""

MESSAGES = """
1 GetReaderCapabilities | RequestedData:u8 | Custom*
2 GetReaderConfig | AntennaID:u16 RequestedData:u8 GPIPortNum:u16 GPOPortNum:u16 | Custom*
3 SetReaderConfig | ResetToFactoryDefaults:b -:7 | ReaderEventNotificationSpec? AntennaProperties* AntennaConfigurations=AntennaConfiguration* ROReportSpec? AccessReportSpec? KeepAliveSpec? GPOWriteData* GPIPortCurrentStates=GPIPortCurrentState* EventsAndReports? Custom*
4 CloseConnectionResponse || LLRPStatus
11 GetReaderCapabilitiesResponse || LLRPStatus GeneralDeviceCapabilities? LLRPCapabilities? RegulatoryCapabilities? C1G2LLRPCapabilities? Custom*
12 GetReaderConfigResponse || LLRPStatus Identification? AntennaProperties* AntennaConfigurations=AntennaConfiguration* ReaderEventNotificationSpec? ROReportSpec? AccessReportSpec? LLRPConfigurationStateValue? KeepAliveSpec? GPIPortCurrentStates=GPIPortCurrentState* GPOWriteData* EventsAndReports? Custom*
13 SetReaderConfigResponse || LLRPStatus
14 CloseConnection
20 AddROSpec || ROSpec
21 DeleteROSpec | ROSpecID:u32
22 StartROSpec | ROSpecID:u32
23 StopROSpec | ROSpecID:u32
24 EnableROSpec | ROSpecID:u32
25 DisableROSpec | ROSpecID:u32
26 GetROSpecs
30 AddROSpecResponse || LLRPStatus
31 DeleteROSpecResponse || LLRPStatus
32 StartROSpecResponse || LLRPStatus
33 StopROSpecResponse || LLRPStatus
34 EnableROSpecResponse || LLRPStatus
35 DisableROSpecResponse || LLRPStatus
36 GetROSpecsResponse || LLRPStatus ROSpecs=ROSpec*
40 AddAccessSpec || AccessSpec
41 DeleteAccessSpec | AccessSpecID:u32
42 EnableAccessSpec | AccessSpecID:u32
43 DisableAccessSpec | AccessSpecID:u32
44 GetAccessSpecs
45 ClientRequestOp || TagReportData
46 GetSupportedVersion
47 SetProtocolVersion | TargetVersion:u8
50 AddAccessSpecResponse || LLRPStatus
51 DeleteAccessSpecResponse || LLRPStatus
52 EnableAccessSpecResponse || LLRPStatus
53 DisableAccessSpecResponse || LLRPStatus
54 GetAccessSpecsResponse || LLRPStatus AccessSpecs=AccessSpec*
55 ClientRequestOpResponse || ClientRequestResponse?
56 GetSupportedVersionResponse | CurrentVersion:u8 MaxSupportedVersion:u8 | LLRPStatus
57 SetProtocolVersionResponse || LLRPStatus
60 GetReport
61 ROAccessReport || TagReportData* RFSurveyReportData* Custom*
62 KeepAlive
63 ReaderEventNotification || ReaderEventNotificationData
64 EnableEventsAndReports
72 KeepAliveAck
100 ErrorMessage || LLRPStatus
1023 CustomMessage | VendorID:u32 Subtype:u8 Data:rest
"""  # noqa: E501
