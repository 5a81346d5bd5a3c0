"""EPCIS 2.0 and CBV 2.0; what does not pass is in docs/epcis-conformance.md."""
