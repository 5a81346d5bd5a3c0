"""Looks up the figure of an index that a price is made of."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.orders.indices.model import IndexFigure, IndexNotKnown, IndexNotPublished


def find_figure(session: Session, code: str, day: date | None, *, field: str) -> IndexFigure:
    """The last published figure of an index, or the last up to a day; ``field`` is where the formula stands.

    Raises IndexNotKnown, or IndexNotPublished where every day so far is withheld.
    """
    query = select(IndexFigure).where(IndexFigure.code == code, IndexFigure.price.is_not(None))
    if day is not None:
        query = query.where(IndexFigure.day <= day)
    if found := session.scalar(query.order_by(IndexFigure.day.desc()).limit(1)):
        return found
    if session.scalar(select(IndexFigure.id).where(IndexFigure.code == code).limit(1)) is None:
        raise IndexNotKnown(f"no index {code!r} was heard of", field=f"{field}.index")
    if day is None:
        raise IndexNotPublished(f"{code} has no figure so far", field=f"{field}.index")
    raise IndexNotPublished(f"{code} has no figure up to {day}", field=f"{field}.day")
