"""Servers as the platform's chart starts them, each in a container of its own."""

import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack.dev.catalog import REPOSITORY
from hack.dev.containers import reference
from tests.integration.conftest import PORT_OFFSET, PREFIX

FILES = REPOSITORY / "charts/payment-platform/files"


class RedisOfTheChart:
    """Redis by the chart's own start script; its Secret is a folder that the test writes, as kubelets do."""

    def __init__(self, folder: Path) -> None:
        self.name = f"{PREFIX}-rotating-redis"
        self.port = 13380 + PORT_OFFSET
        self.folder = folder

    def secret(self, **content: str) -> None:
        """What the Secret holds from now on; "_" stands for "-"."""
        names = {name.replace("_", "-"): text for name, text in content.items()}
        for name, text in names.items():
            (self.folder / f"{name}.new").write_text(text)
            (self.folder / f"{name}.new").rename(self.folder / name)
        for path in self.folder.iterdir():
            if path.name not in names:
                path.unlink()

    def start(self) -> None:
        """Until it answers."""
        subprocess.run(["docker", "rm", "--force", self.name], check=False, capture_output=True)
        # The chart's port is the pod's own; here other sessions have one, too.
        script = (
            f"sed 's/^port .*/port {self.port}/' /chart/redis.conf >/etc/payment-platform/redis/redis.conf"
        )
        command = ["docker", "run", "--detach", "--network=host", f"--name={self.name}", "--user=0"]
        command += [f"--volume={FILES / 'redis'}:/chart:ro", "--tmpfs=/etc/payment-platform/redis"]
        command += [f"--volume={self.folder}:/etc/payment-platform/credentials:ro", "--tmpfs=/data"]
        command += ["--env=MEMORY_LIMIT_MIB=64", "--env=FOLLOW_SECONDS=0.3", f"--env=REDIS_PORT={self.port}"]
        command += ["--entrypoint=/bin/sh", reference("redis"), "-c", f"{script}; exec sh /chart/start.sh"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def restart(self) -> None:
        """As after a crash."""
        subprocess.run(["docker", "restart", "--time=0", self.name], check=True, capture_output=True)

    def accepts(self, password: str) -> bool:
        """Whether a new connection with this password may work."""
        answer = self._cli(password)
        assert answer in ("PONG", "WRONGPASS"), answer
        return answer == "PONG"

    def until(self, good: set[str], bad: set[str], seconds: float = 15) -> None:
        """Wait until exactly these passwords are good."""
        end = time.monotonic() + seconds
        while True:
            answers = {password: self._cli(password) for password in good | bad}
            if all((answers[word] == "PONG") == (word in good) for word in answers):
                return
            assert time.monotonic() < end, answers
            time.sleep(0.2)

    def _cli(self, password: str) -> str:
        command = ["docker", "exec", "--env", f"REDISCLI_AUTH={password}", self.name, "redis-cli"]
        done = subprocess.run(
            [*command, "-p", str(self.port), "ping"], check=False, capture_output=True, text=True, timeout=20
        )
        text = (done.stdout + done.stderr).strip()
        return "WRONGPASS" if "WRONGPASS" in text else text.splitlines()[-1] if text else ""

    def log(self) -> str:
        """All that it said."""
        done = subprocess.run(["docker", "logs", self.name], check=True, capture_output=True, text=True)
        return done.stdout + done.stderr

    def stop(self) -> None:
        """Remove it."""
        subprocess.run(["docker", "rm", "--force", self.name], check=False, capture_output=True)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisOfTheChart]:
    """Running with the password that its Secret holds."""
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o755)
    server = RedisOfTheChart(folder)
    server.secret(password=secrets.token_hex(8))
    server.start()
    try:
        yield server
    finally:
        server.stop()
