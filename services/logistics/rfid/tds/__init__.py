"""What a tag says and how it is written: the binary codings of GS1's Tag Data Standard (1.13 section 14, 2.0 section 14.5).

``decode`` reads the EPC memory of a tag, ``encode`` writes it back. Headers that are not in ``codings`` (the "+" codings
of TDS 2 among them) and memory that ISO 15961 rules are kept raw.
"""

from services.logistics.rfid.tds.decoding import Tag, decode, decode_memory
from services.logistics.rfid.tds.encoding import encode, encode_identity
from services.logistics.rfid.tds.fields import Unreadable, Unwritable

__all__ = ["Tag", "Unreadable", "Unwritable", "decode", "decode_memory", "encode", "encode_identity"]
