"""Choosing a password over HTTP: a one-time token is an identity of its own, so no Idempotency-Key is needed."""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Body, command
from services.identity.passwords import commands
from services.identity.passwords.model import PasswordText, TokenText
from services.identity.users.model import EmailText
from services.identity.web import address_of_caller, vault_of_app

routes = Blueprint("passwords", __name__)


class ChoosePassword(Body):
    """A new password, and the one-time token that gives the right to choose it."""

    token: TokenText
    password: PasswordText


class ForgetPassword(Body):
    """Who forgot their password."""

    email: EmailText


@routes.post("/v1/passwords")
@command(public=True, idempotent=False)
def choose_password(session: Session, caller: Caller, body: ChoosePassword) -> None:
    """Choose a password with the one-time token of an invitation or a reset; sessions of before are ended."""
    commands.choose_password(session, caller, vault_of_app(), body.token, body.password)


@routes.post("/v1/passwords/forgotten")
@command(public=True, idempotent=False, status=202)
def forget_password(session: Session, caller: Caller, body: ForgetPassword) -> None:
    """Ask for a mail with a one-time token; the answer is the same whether there is such a user or not."""
    commands.forget_password(session, caller, body.email, address=address_of_caller())
