"""Uploads of files with many rows: sent in parts, their columns mapped, checked without effect, applied a batch at a time.

A service mounts them with four lines. It writes an ``Importer`` for each kind of file (``chassis.uploads.fields``): which columns
there are and how each is read, what is wrong between the cells of a row, and one command that takes many rows in at once, of
which those that come again change nothing. Then, in its ``Service``::

    blueprints=(..., make_routes("offer-uploads", IMPORTERS)),      # chassis.uploads.api; the noun is among its nouns
    loops={..., "uploads": make_loop(IMPORTERS)},                   # chassis.uploads.loop
    timers={..., Upload: expire_upload},                            # chassis.uploads.model and .commands

The tables are the chassis's and in every service's database. The web keeps parts and answers; the worker reads and takes in.
"""
