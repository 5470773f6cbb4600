"""The load balancer's real container, from the chart's files and nginx's image, and a gateway behind it."""

import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from hack.dev.catalog import REPOSITORY
from hack.dev.containers import reference
from tests.integration.conftest import PREFIX

FILES = REPOSITORY / "charts/payment-platform/files/nginx"
NAME = f"{PREFIX}-load-balancer"
TOKEN = "the-load-balancers-token"


class Gateway(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked; /slow takes a second, /cut closes the connection without an answer."""

    protocol_version = "HTTP/1.1"
    cut = 0

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/cut":
            type(self).cut += 1
            self.close_connection = True
            return
        if self.path == "/slow":
            time.sleep(1)
        answer = json.dumps({"path": self.path, "bytes": len(body), "headers": dict(self.headers)}).encode()
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:  # the base class's name
        """Say nothing."""


@dataclass
class LoadBalancer:
    """A running container, its gateway's port and its own."""

    port: int
    gateway_port: int
    gateways: list[http.server.ThreadingHTTPServer] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start_gateway(self) -> None:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.gateway_port), Gateway)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.gateways.append(server)

    def stop_gateway(self) -> None:
        while self.gateways:
            server = self.gateways.pop()
            server.shutdown()
            server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def logs() -> list[str]:
    """Lines that the container wrote."""
    done = subprocess.run(["docker", "logs", NAME], capture_output=True, text=True, timeout=30, check=True)
    return (done.stdout + done.stderr).splitlines()


def start(folder: Path) -> LoadBalancer:
    """A running load balancer without a gateway. Raises CalledProcessError, AssertionError."""
    shutil.copytree(FILES, folder / "nginx")
    (folder / "token").mkdir()
    (folder / "token" / "token").write_text(TOKEN)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    running = LoadBalancer(free_port(), free_port())
    health = free_port()
    remove()
    command = ["docker", "run", "--detach", f"--name={NAME}", "--network=host", "--user=101:101"]
    command += ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--tmpfs=/tmp:uid=101"]
    command += [f"--volume={folder}/nginx:/etc/payment-platform/nginx:ro"]
    command += [f"--volume={folder}/token:/etc/payment-platform/token:ro"]
    command += [f"--env=API_GATEWAY_URL=http://127.0.0.1:{running.gateway_port}"]
    command += [f"--env=HTTP_PORT={running.port}", f"--env=HEALTH_PORT={health}"]
    command += ["--entrypoint=/bin/sh", reference("nginx"), "/etc/payment-platform/nginx/start.sh"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    _wait(f"http://127.0.0.1:{health}/healthz")
    return running


def remove() -> None:
    """Remove the container, if there is one."""
    subprocess.run(["docker", "rm", "--force", NAME], check=False, capture_output=True, timeout=60)


def _wait(url: str) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            assert httpx.get(url, timeout=2).text == "ok\n"
            return
        except httpx.TransportError:
            if time.monotonic() > end:
                raise AssertionError("\n".join(logs())) from None
            time.sleep(0.1)
