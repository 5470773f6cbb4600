"""metrics.k8s.io from the kubelets' summaries, as autoscalers read it.

Runs in a pod, with the standard library and `cryptography`; see metrics_api.py.

Sources: https://github.com/kubernetes/metrics (PodMetrics), the kubelet's /stats/summary.
"""

import json
import os
import ssl
import tempfile
import urllib.request
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

GROUP = "metrics.k8s.io/v1beta1"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PORT = 8443


def ask(path: str) -> Any:
    """A GET of the API server."""
    request = urllib.request.Request(
        f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}{path}",
        headers={"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"},
    )
    trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    with urllib.request.urlopen(request, timeout=10, context=trusted) as answer:
        return json.load(answer)


def pod_metrics(namespace: str) -> list[dict[str, Any]]:
    """What each pod of the namespace uses, by its kubelet."""
    found = []
    for node in ask("/api/v1/nodes")["items"]:
        summary = ask(f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary")
        for pod in summary["pods"]:
            about = pod["podRef"]
            used = [item for item in pod.get("containers", []) if "usageNanoCores" in item.get("cpu", {})]
            if about["namespace"] == namespace and used:
                found.append(
                    {
                        "metadata": {"name": about["name"], "namespace": namespace},
                        "timestamp": used[0]["cpu"]["time"],
                        "window": "15s",
                        "containers": [
                            {
                                "name": item["name"],
                                "usage": {
                                    "cpu": f"{item['cpu']['usageNanoCores']}n",
                                    "memory": str(item.get("memory", {}).get("workingSetBytes", 0)),
                                },
                            }
                            for item in used
                        ],
                    }
                )
    return found


def answer(path: str) -> dict[str, Any] | None:
    """The body for a path of the API; None for one that there is not."""
    parts = path.partition("?")[0].strip("/").split("/")
    if parts == ["apis", *GROUP.split("/")]:
        kind = {
            "name": "pods",
            "singularName": "",
            "namespaced": True,
            "kind": "PodMetrics",
            "verbs": ["list"],
        }
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP, "resources": [kind]}
    if len(parts) == 6 and parts[3] == "namespaces" and parts[5] == "pods":
        return {"kind": "PodMetricsList", "apiVersion": GROUP, "metadata": {}, "items": pod_metrics(parts[4])}
    return None


class Handler(BaseHTTPRequestHandler):
    """GET alone."""

    def do_GET(self) -> None:
        """Answer in JSON."""
        body = answer(self.path)
        text = json.dumps(body or {}).encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def certificate(folder: Path) -> Path:
    """A key and a certificate that it signs itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pod-metrics")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = folder / "both.pem"
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem)
    )
    return file


def main() -> None:
    """Serve until a signal."""
    server = ThreadingHTTPServer(("", PORT), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        context.load_cert_chain(certificate(Path(folder)))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
