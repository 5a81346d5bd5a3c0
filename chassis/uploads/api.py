"""Uploads over HTTP: the routes are made for a service, under a noun of its own and with its importers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Paging, Streamed, command, query
from chassis.uploads import commands, queries
from chassis.uploads.commands import Beginning, Choice
from chassis.uploads.fields import Importer
from chassis.uploads.model import MAX_PART_BYTES, Upload
from chassis.uploads.views import (
    AskFields,
    AskMistakes,
    AskMistakesFile,
    BeginUpload,
    CloseUpload,
    FieldsView,
    FieldView,
    MapColumns,
    MistakeView,
    PartView,
    SendFile,
    SendPart,
    UploadView,
)
from chassis.uploads.writers import MEDIA_TYPES

BYTES = ("application/octet-stream",)
FILES = (*MEDIA_TYPES.values(), *BYTES)


def make_routes(noun: str, importers: Mapping[str, Importer]) -> Blueprint:
    """The routes of uploads under ``/v1/<noun>``, for a service's ``blueprints``; the noun is one of its ``nouns``."""
    routes = Blueprint(noun.replace("-", "_"), __name__)
    importers = MappingProxyType(dict(importers))
    roles = tuple(sorted({importer.role for importer in importers.values()}))
    _add_sending(routes, f"/v1/{noun}", importers, roles)
    _add_moves(routes, f"/v1/{noun}", importers, roles)
    _add_queries(routes, f"/v1/{noun}", importers, roles)
    return routes


def _add_sending(routes: Blueprint, base: str, importers: Mapping[str, Importer], roles: tuple[str, ...]) -> None:
    def show(session: Session, upload: Upload) -> UploadView:
        return UploadView.of(upload, queries.words_of(session, importers, upload))

    @routes.post(base)
    @command(role=roles, status=201)
    def begin_upload(session: Session, caller: Caller, body: BeginUpload) -> UploadView:
        """Begin an upload: its file is sent in parts, then closed; it waits for seven days."""
        beginning = Beginning(
            kind=body.kind, market=body.market, file_name=body.file_name, sheet=body.sheet, language=body.language
        )
        return show(session, commands.begin_upload(session, caller, importers, beginning))

    @routes.post(f"{base}/files")
    @command(role=roles, status=201, accept=FILES, max_bytes=MAX_PART_BYTES)
    def send_file(session: Session, caller: Caller, params: SendFile, body: bytes) -> UploadView:
        """Send a file of at most 8 MiB as a whole: CSV (UTF-8 or GB18030), XLSX or JSON Lines."""
        beginning = Beginning(
            kind=params.kind,
            market=params.market,
            file_name=params.file_name,
            sheet=params.sheet,
            language=params.language,
        )
        return show(session, commands.send_file(session, caller, importers, beginning, body))

    @routes.put(f"{base}/<upload_id>/parts/<part>")
    @command(role=roles, idempotent=False, accept=BYTES, max_bytes=MAX_PART_BYTES)
    def send_part(
        session: Session, caller: Caller, upload_id: str, part: str, params: SendPart, body: bytes
    ) -> PartView:
        """Send a part of a file, at most 8 MiB; parts are numbered from 1 and may come in any order.

        The same bytes again change nothing, so no Idempotency-Key is needed.
        """
        number = commands.read_part_number(part)
        kept = commands.add_part(session, caller, importers, upload_id, number, body, params.sha256)
        return PartView(part=kept.number, size_bytes=kept.size_bytes, sha256=kept.sha256)

    @routes.post(f"{base}/<upload_id>/close")
    @command(role=roles)
    def close_upload(session: Session, caller: Caller, upload_id: str, body: CloseUpload) -> UploadView:
        """Say that all parts were sent: the file is looked into and its columns are found."""
        return show(session, commands.close_upload(session, caller, importers, upload_id, body.parts))


def _add_moves(routes: Blueprint, base: str, importers: Mapping[str, Importer], roles: tuple[str, ...]) -> None:
    def show(session: Session, upload: Upload) -> UploadView:
        return UploadView.of(upload, queries.words_of(session, importers, upload))

    @routes.post(f"{base}/<upload_id>/mapping")
    @command(role=roles)
    def map_columns(session: Session, caller: Caller, upload_id: str, body: MapColumns) -> UploadView:
        """Say what columns of the file are; files of the company with the same headings are read so from now on."""
        choices = [Choice(index=each.column - 1, field=each.field, unit=each.unit) for each in body.columns]
        return show(session, commands.map_columns(session, caller, importers, upload_id, choices))

    @routes.post(f"{base}/<upload_id>/check")
    @command(role=roles, status=202)
    def check_upload(session: Session, caller: Caller, upload_id: str) -> UploadView:
        """Try the file out: what would become of each row is counted and what is wrong is told, and nothing is changed."""
        return show(session, commands.start_run(session, caller, importers, upload_id, "check"))

    @routes.post(f"{base}/<upload_id>/apply")
    @command(role=roles, status=202)
    def apply_upload(session: Session, caller: Caller, upload_id: str) -> UploadView:
        """Take the file in, row by row: bad rows are told and stop no others."""
        return show(session, commands.start_run(session, caller, importers, upload_id, "apply"))

    @routes.post(f"{base}/<upload_id>/cancel")
    @command(role=roles)
    def cancel_upload(session: Session, caller: Caller, upload_id: str) -> UploadView:
        """End an upload. What was applied until now stays in."""
        return show(session, commands.cancel_upload(session, caller, importers, upload_id))


def _add_queries(routes: Blueprint, base: str, importers: Mapping[str, Importer], roles: tuple[str, ...]) -> None:
    @routes.get(base)
    @query(role=roles)
    def list_uploads(session: Session, caller: Caller, params: Paging) -> Page[UploadView]:
        """The uploads of the caller's company, newest first."""
        found = queries.list_uploads(session, caller, importers, params.cursor, params.limit)
        return found.map(lambda upload: UploadView.of(upload, queries.words_of(session, importers, upload)))

    @routes.get(f"{base}/fields")
    @query(role=roles, shared=True)
    def list_fields(session: Session, caller: Caller, params: AskFields) -> FieldsView:
        """The columns that a file of a kind may have."""
        found = queries.list_fields(session, caller, importers, params.kind, params.market)
        return FieldsView(fields=[FieldView.of(field) for field in found])

    @routes.get(f"{base}/<upload_id>")
    @query(role=roles)
    def see_upload(session: Session, caller: Caller, upload_id: str) -> UploadView:
        """An upload with its columns and its progress."""
        upload = queries.see_upload(session, caller, importers, upload_id)
        return UploadView.of(upload, queries.words_of(session, importers, upload))

    @routes.get(f"{base}/<upload_id>/parts/<part>")
    @query(role=roles)
    def see_part(session: Session, caller: Caller, upload_id: str, part: str) -> PartView:
        """Whether a part has come, for who begins to send again where it was cut off."""
        number = commands.read_part_number(part)
        size_bytes, sha256 = queries.see_part(session, caller, importers, upload_id, number)
        return PartView(part=number, size_bytes=size_bytes, sha256=sha256)

    @routes.get(f"{base}/<upload_id>/errors")
    @query(role=roles)
    def list_errors(session: Session, caller: Caller, upload_id: str, params: AskMistakes) -> Page[MistakeView]:
        """What is wrong in the file by row and column, in the order of the file."""
        upload, found = queries.list_mistakes(
            session, caller, importers, upload_id, cursor=params.cursor, limit=params.limit
        )
        words = queries.words_of(session, importers, upload)
        return found.map(lambda mistake: MistakeView.of(mistake, words, params.language or upload.language))

    @routes.get(f"{base}/<upload_id>/errors/file")
    @query(role=roles, gives=tuple(MEDIA_TYPES.values()))
    def write_errors(session: Session, caller: Caller, upload_id: str, params: AskMistakesFile) -> Streamed:
        """What is wrong in the file, as CSV, XLSX or JSON Lines."""
        return queries.write_mistakes(
            session, caller, importers, upload_id, format=params.format, language=params.language
        )
