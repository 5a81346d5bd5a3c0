"""What migrations make of the rows that are there already."""

from __future__ import annotations

from typing import Any

from alembic import command
from sqlalchemy import create_engine, text

from chassis import migrate
from services.catalog.invariants import INVARIANTS

PIECE = (
    "INSERT INTO piece (id, version, market, maker_id, owner_id, warehouse_id, number, title, attributes, net_value, net_unit, "
    "gross_value, gross_unit, epc, digest, made_at, changed_at) VALUES (:id, 1, 'steel', 'party_mill', 'party_buyer', "
    "'party_buyer', :id, '{}', '{\"certificate_no\": \"ZB-77\"}', 1, 'KGM', 1, 'KGM', :epc, '', now(), now())"
)


def test_tags_and_certificates_of_pieces_from_before_are_found(cluster: Any) -> None:
    address = cluster.create_database("from_before_catalog", service="catalog")
    engine = create_engine(address.owner)
    with engine.begin() as connection:
        command.upgrade(migrate.config("catalog", connection), "catalog_0001")
        for id, epc in (("piece_1", "3034257BF400B7800004CB2F"), ("piece_2", None)):
            connection.execute(text(PIECE), {"id": id, "epc": epc})
        connection.execute(text("INSERT INTO market VALUES ('steel', 1, '', '{}')"))
    migrate.upgrade("catalog", address.owner)
    with engine.begin() as connection:
        tags = connection.execute(text("SELECT id, piece_id, epc, bound_by, retired_at FROM tag")).all()
        assert tags == [("tag_1", "piece_1", "3034257BF400B7800004CB2F", "party_mill", None)]
        assert set(connection.scalars(text("SELECT certificate_no FROM piece"))) == {"ZB-77"}
        assert [
            name for name, query in ((i.name, i.query) for i in INVARIANTS) if connection.execute(text(query)).all()
        ] == []
    engine.dispose()
