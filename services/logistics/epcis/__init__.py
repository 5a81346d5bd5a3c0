"""The repository of EPCIS events, as EPCIS 2.0 and CBV 2.0 shape them."""
