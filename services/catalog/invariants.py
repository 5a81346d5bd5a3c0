"""What is always true of the catalog's rows."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        name="catalog_piece_weight",
        sentence="A piece weighs something, and no more without its packing than with it.",
        query="SELECT id FROM piece WHERE net_value <= 0 OR gross_value < net_value OR net_unit <> gross_unit",
    ),
    Invariant(
        name="catalog_piece_history",
        sentence="A piece has changed as often as its version says.",
        query=(
            "SELECT piece.id FROM piece LEFT JOIN piece_change ON piece_change.piece_id = piece.id "
            "GROUP BY piece.id HAVING piece.version <> 1 + count(piece_change.id)"
        ),
    ),
    Invariant(
        name="catalog_piece_tag",
        sentence="A tag has 24 hexadecimal digits.",
        query="SELECT id FROM piece WHERE epc !~ '^[0-9A-F]{24}$'",
    ),
    Invariant(
        name="catalog_piece_market",
        sentence="A piece is in a market that exists.",
        query="SELECT id FROM piece WHERE NOT EXISTS (SELECT FROM market WHERE market.id = piece.market)",
    ),
    Invariant(
        name="catalog_piece_tagged",
        sentence="The tag on a piece is the one that was bound to it last and not retired.",
        query=(
            "SELECT piece.id FROM piece LEFT JOIN tag ON tag.piece_id = piece.id AND tag.retired_at IS NULL "
            "WHERE piece.epc IS DISTINCT FROM tag.epc"
        ),
    ),
    Invariant(
        name="catalog_certificate_file",
        sentence="A certificate's file is as long as it says, and kept under its own hash.",
        query=(
            "SELECT certificate.id FROM certificate JOIN certificate_file ON certificate_file.id = certificate.file_id "
            "WHERE length(body) <> size OR encode(sha256(body), 'hex') <> file_id"
        ),
    ),
)
