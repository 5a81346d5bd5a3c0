"""The secrets of the distributed profile as files in one folder: made once, and the addresses that contain them
written anew.

The folder is closed to everybody but its owner; the files are readable because containers run as users of their own.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives import serialization

from chassis.migrate import SERVICES
from infra import databases
from infra.environment import make_signing_key
from infra.failures import Failure
from infra.secrets import read_or_make_secret

SUPERUSER = "postgres"


def make_stack_secrets(folder: Path, *, postgres: str, mqtt: str | None = None) -> list[str]:
    """Makes what is missing and writes the addresses for PostgreSQL at ``postgres`` (host:port); the names of all
    files.

    Passwords and keys that are there stay as they are, so that it may be run again. With ``mqtt`` (host:port) workers
    hear the readers of an MQTT broker there; until then that file is empty.
    """
    host, _, port = postgres.rpartition(":")
    if not host or not port.isdigit():
        raise Failure(f"--postgres must be HOST:PORT, not {postgres!r}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    where = {"host": host, "port": int(port)}
    _write_address(folder / "postgres_url", folder, SUPERUSER, "postgres", where)
    for name in SERVICES:
        _write_address(folder / f"{name}_database", folder, f"{name}_app", name, where)
        _write_address(folder / f"{name}_database_owner", folder, f"{name}_owner", name, where)
    _write_keys(folder)
    for name in ("stripe_key", "stripe_webhook_secret", "mqtt"):
        (folder / name).touch()
    if mqtt:
        _write_mqtt(folder, mqtt)
    for path in folder.iterdir():
        path.chmod(0o444)
    return sorted(path.name for path in folder.iterdir())


def _write_address(path: Path, folder: Path, role: str, database: str, where: dict) -> None:
    address = databases.url(database=database, role=role, password=read_or_make_secret(folder, role), **where)
    path.unlink(missing_ok=True)
    path.write_text(address + "\n")


def _write_mqtt(folder: Path, address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise Failure(f"--mqtt must be HOST:PORT, not {address!r}")
    password = read_or_make_secret(folder, "mosquitto")
    (folder / "mqtt").unlink()
    (folder / "mqtt").write_text(f"mqtt://haihe:{password}@{address}\n")


def _write_keys(folder: Path) -> None:
    pem = make_signing_key(folder).read_bytes()
    public = serialization.load_pem_private_key(pem, None).public_key()
    verify = folder / "verify_key"
    verify.unlink(missing_ok=True)
    verify.write_bytes(public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
