"""From reads to observations: pure stages over sets of reads, so that their order does not matter (RFID.md 4.1-4.4).

``reads`` coalesces, ``presence`` and ``zones`` follow tags in places where they stay, ``sessions``, ``directions``, ``ghosts``
and ``pallets`` say what went through a portal, ``portal`` does that as reads come, late ones too, and ``watermarks`` says when.
All times are microseconds since 1970, by our clock.
"""
