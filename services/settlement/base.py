"""The base of the tables of settlement."""

from __future__ import annotations

from typing import Any

from chassis import database

Base: Any = database.base("settlement")
