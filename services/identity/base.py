"""The base of the tables of identity."""

from __future__ import annotations

from typing import Any

from chassis import database

Base: Any = database.base("identity")
