"""The platform under load, where it runs on this machine: whose data it has, its sample operator, and `haihe check`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

OPERATOR_EMAIL = "operator@sample.haihe.example"
CHECK_TAKES_S = 300.0
_HERE = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}


def find_data(host: str) -> Path | None:
    """The data folder (HAIHE_DATA, else ./data) of the platform that answers at ``host``, or None when it is another's."""
    folder = Path(os.environ.get("HAIHE_DATA") or "data")
    try:
        url = json.loads((folder / "run" / "state.json").read_text())["url"]
    except (OSError, ValueError, KeyError):
        return None
    return folder if _place_of(url) == _place_of(host) else None


def _place_of(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return _HERE.get(parts.hostname or "", parts.hostname or ""), parts.port


def find_operator(host: str) -> tuple[str, str] | None:
    """The operator's email address and password: from the environment, else of sample data on this machine."""
    email, password = os.environ.get("HAIHE_OPERATOR_EMAIL", ""), os.environ.get("HAIHE_OPERATOR_PASSWORD", "")
    if email and password:
        return email, password
    folder = find_data(host)
    try:
        password = json.loads((folder / "sample.json").read_text())["operator_password"] if folder else ""
    except (OSError, ValueError, KeyError):
        return None
    return (OPERATOR_EMAIL, password) if password else None


def run_check(folder: Path) -> tuple[int, str]:
    """Runs `haihe check --settled` on a data folder: its exit status and what it said."""
    command = [sys.executable, "-m", "infra.cli", "check", "--settled", "--data", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_TAKES_S, check=False)
    except subprocess.TimeoutExpired:
        return 1, f"haihe check has not ended within {CHECK_TAKES_S:.0f} s"
    return done.returncode, (done.stdout + done.stderr).strip()
