"""What is known of the sample data in a folder: its operator, its trades and their users, with passwords made up for
this folder.

The file is also the mark of sample data: without it no sample user is made and no sample secret is taken.
"""

from __future__ import annotations

import secrets

import msgspec

from infra.failures import Failure
from infra.folder import DataFolder

OPERATOR_EMAIL = "operator@sample.haihe.example"


class NotSampleData(Failure):
    """The folder holds data that no demo made."""

    code = 14


class SampleUser(msgspec.Struct):
    """Somebody to log in as."""

    email: str
    company: str
    password: str


class Samples(msgspec.Struct):
    """The operator's password (empty until there is an operator), how many trades were begun, and who took part in
    those played.
    """

    operator_password: str = ""
    begun: int = 0
    played: list[str] = []
    users: list[SampleUser] = []


def mark_as_sample(folder: DataFolder) -> None:
    """Marks a folder as sample data. Raises NotSampleData when it already holds others."""
    if folder.is_sample:
        return
    if (folder.path / "postgres").exists():
        raise NotSampleData(
            f"{folder.path} holds data that no demo made, and sample users do not belong there. Use another folder with --data."
        )
    folder.make()
    write_samples(folder, Samples())


def read_samples(folder: DataFolder) -> Samples:
    """What is known. Raises NotSampleData."""
    if not folder.is_sample:
        raise NotSampleData(f"{folder.path} does not hold sample data. Make some: haihe up --demo --data FOLDER")
    return msgspec.json.decode(folder.sample.read_bytes(), type=Samples)


def write_samples(folder: DataFolder, samples: Samples) -> None:
    """Keeps what is known, whole or not at all."""
    part = folder.sample.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_bytes(msgspec.json.format(msgspec.json.encode(samples), indent=2))
    part.replace(folder.sample)


def make_password() -> str:
    """A password for sample users, good enough to be taken."""
    return secrets.token_urlsafe(12)


def show_sample_users(folder: DataFolder) -> list[str]:
    """Lines that say whom one can log in as."""
    samples = read_samples(folder)
    rows = [("operator", OPERATOR_EMAIL, samples.operator_password)] if samples.operator_password else []
    rows += [(user.company, user.email, user.password) for user in samples.users]
    width = max((len(company) for company, *_ in rows), default=0)
    lines = [f"  {company:<{width}}  {email:<36} {password}" for company, email, password in rows]
    return ["Sample users (POST /v1/sessions with email and password):", *lines] if rows else []
