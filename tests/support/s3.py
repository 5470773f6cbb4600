"""A server that speaks S3: versitygw, built from its Go module, over a folder."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from hack.kind import tools
from hack.kind.settings import read_settings
from hack.kind.tools import Tool

GATEWAY = Tool("versitygw", "github.com/versity/versitygw/cmd/versitygw", "v1.8.0")
BUCKET, KEY_ID, KEY = "backups", "testkeyid", "testsecretaccesskey"


def program() -> Path:
    """The server, in the project's cache. Raises Failure without Go or its module proxy."""
    cache = read_settings(os.environ, Path.home()).cache
    tools.ensure(cache, (GATEWAY,), "S3 server")
    return cache.bin / GATEWAY.name


def command(binary: str, port: str, folder: str) -> list[str]:
    """How to run it over `folder`: objects/ holds the buckets, metadata/ what belongs to them."""
    options = ["--quiet", "--port", port, "--access", KEY_ID, "--secret", KEY, "--health", "/health"]
    return [binary, *options, "posix", "--sidecar", f"{folder}/metadata", f"{folder}/objects"]


@contextmanager
def server(folder: Path, port: int) -> Iterator[dict[str, str]]:
    """Variables of the backup's programs that lead to a bucket of a server of its own."""
    root, keys = folder / "s3", folder / "keys"
    for made in (root / "objects" / BUCKET, root / "metadata", keys):
        made.mkdir(parents=True)
    (keys / "access-key-id").write_text(KEY_ID)
    (keys / "secret-access-key").write_text(KEY)
    with (folder / "s3.log").open("wb") as log:
        process = subprocess.Popen(
            command(str(program()), f"127.0.0.1:{port}", str(root)), stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + 20
        while not _answers(f"http://127.0.0.1:{port}/health"):
            assert time.monotonic() < end and process.poll() is None, (folder / "s3.log").read_text()
            time.sleep(0.05)
        yield {
            "BACKUP_S3_ENDPOINT": f"http://127.0.0.1:{port}",
            "BACKUP_S3_BUCKET": BUCKET,
            "BACKUP_S3_PREFIX": "shop/daily",
            "BACKUP_S3_CREDENTIALS_DIR": str(keys),
        }
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False
