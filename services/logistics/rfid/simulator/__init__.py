"""A site that does not exist: gates, readers, pallets, trucks and zones from one seed, what happened there, and what was read.

``sites`` says where antennas stand, ``goods`` makes pallets and their tags, ``traffic`` moves them, ``radio`` says who hears
whom, ``inventory`` and ``stays`` are the readers at work, ``noise`` and ``arrivals`` how their reads are spoilt and come,
``world`` puts it together, ``concluding`` asks the platform's stages what they make of it, ``naive`` is the simple way to do so,
and ``scoring`` compares both with the truth. ``llrp_reader`` is a reader that speaks LLRP, and ``llrp_server`` its socket.

The model, and where its numbers are from (docs/simulator.md says more):

- A tag is heard by a two-way link budget: 36 dBm EIRP, free space at 915 MHz, an antenna pattern of 70 degrees with a
  front-to-back ratio of 20 dB (3GPP TR 36.814, table A.2.1.1-2), a chip that wakes at -15 dBm, 6 dB lost in backscatter,
  what it is glued to, slow and fast fading. A reader answers for at most 200 tags a second (a dense mode's nominal rate).
- Even a tag that is well lit is missed in 30 of 100 rounds: read rates of 60-70 % are what deployments see (Jeffery, Garofalakis
  and Franklin 2006, after Floerkemeier and Lampe 2004). Edges of the field, shadows and full rounds come on top of it.
- 5 of 100 reads are of tags that did not pass: stock behind the gate lit by what drives by, and EPCs that nobody knows; beside them
  neighbouring gates overhear each other, pallets are parked in the field for longer than it takes, and some turn back.
- 2 of 100 reads come twice, 10 of 100 late, up to five minutes (a break, after which a reader flushes what it held), and the
  readers' clocks are seconds off and drift.

What makes the reads knows nothing of the rules by which they are judged. All lengths are metres, times microseconds, powers dBm.
"""
