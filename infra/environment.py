"""What the processes of an embedded platform are told: settings, made from the data folder and kept nowhere else."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.migrate import SERVICES
from infra.capacity import Capacity
from infra.cluster import Cluster
from infra.databases import libpq
from infra.folder import DataFolder
from infra.secrets import read_or_make_secret, write_secret

BROKER = "broker"
METRICS = "haihe-metrics-"


def make_signing_key(folder: Path) -> Path:
    """The file of the first key that tokens are signed with: PEM, made on first use."""
    path = folder / "signing_key"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_secret(path, pem.decode().strip())
    return path


def platform_environment(folder: DataFolder, cluster: Cluster, *, port: int) -> dict[str, str]:
    """The settings that every process of the platform shares, the command line too. The cluster need not run."""
    told = {
        "HAIHE_BROKER": libpq(cluster.address(BROKER).owner),
        "HAIHE_SEARCH": f"tantivy:{folder.index}",
        "HAIHE_SIGNING_KEY_FILE": str(make_signing_key(folder.secrets)),
        "HAIHE_MAIL_FOLDER": str(folder.mail),
        "HAIHE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HAIHE_MEMBER": "embedded",
        "HAIHE_SAMPLE_DATA": "1" if folder.is_sample else "0",
    }
    for name in SERVICES:
        address = cluster.address(name)
        told[f"HAIHE_{name.upper()}_DATABASE"] = address.app
        told[f"HAIHE_{name.upper()}_DATABASE_OWNER"] = address.owner
    return told


def process_environment(capacity: Capacity, metrics: Path) -> dict[str, str]:
    """What web and worker are told besides: their pools, the folder where metrics add up, and where the worker listens
    for pokes.
    """
    told = {"HAIHE_POOL_SIZE": str(capacity.pool_size), "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    for name, port in zip(SERVICES, find_free_ports(len(SERVICES)), strict=True):
        told[f"HAIHE_{name.upper()}_POKE"] = f"127.0.0.1:{port}"
    return told


def make_metrics_folder() -> Path:
    """An empty folder for the files that processes write their metrics to.

    In memory where there is any: they are mapped, and writing to a mapped file on a full disk kills the process.
    """
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix=METRICS, dir=memory if os.access(memory, os.W_OK) else None))


def drop_metrics_folder(folder: Path | str | None) -> None:
    """Removes a folder that ``make_metrics_folder`` made, and no other."""
    if folder and Path(folder).name.startswith(METRICS):
        shutil.rmtree(folder, ignore_errors=True)


def forget_dead_gauges(folder: Path | None) -> None:
    """Removes what processes that are gone measured last; their counters go on to count."""
    for file in folder.glob("gauge_*_*.db") if folder else ():
        if not psutil.pid_exists(int(file.stem.rpartition("_")[2])):
            file.unlink(missing_ok=True)


def sandbox_environment(folder: DataFolder, port: int) -> dict[str, str]:
    """How services reach the stand-in for Stripe; only sample data have one."""
    return {
        "HAIHE_STRIPE_URL": f"http://127.0.0.1:{port}",
        "HAIHE_STRIPE_KEY_FILE": str(make_sample_secret(folder.secrets, "stripe_key", "sk_test_sample_")),
        "HAIHE_STRIPE_WEBHOOK_SECRET_FILE": str(
            make_sample_secret(folder.secrets, "stripe_webhook_secret", "whsec_sample_")
        ),
    }


def make_sample_secret(folder: Path, name: str, prefix: str) -> Path:
    """The file of a secret that can be told to be a sample by its beginning."""
    path = folder / f"sample_{name}"
    if not path.exists():
        write_secret(path, prefix + read_or_make_secret(folder, f"sample_{name}_seed"))
    return path


def find_free_ports(count: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, kind)) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def merge_environment(base: Mapping[str, str], *parts: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without any ``HAIHE_`` setting of an embedded platform's own, and the parts over it."""
    ours = {name for part in parts for name in part}
    owned = ours | {name.removesuffix("_FILE") for name in ours} | {f"{name}_FILE" for name in ours}
    merged = {name: value for name, value in base.items() if name not in owned}
    for part in parts:
        merged.update(part)
    return merged
