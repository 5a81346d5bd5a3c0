"""LLRP 1.0.1 and 1.1, the protocol between a reader and its client: codec, session, and the links to real readers.

``wire`` frames messages, ``codec`` reads and writes every message and parameter by the tables in ``messages`` and
``parameters``, ``reports`` reads tag reports fast, ``session`` is one connection without its socket, ``link`` has the
socket, and ``collector`` the loop over all readers.
"""
