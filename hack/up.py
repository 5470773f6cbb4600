"""make up: cluster, images, operator, a sample platform, one payment through the load balancer.

Every step may be interrupted and run again; what is done already is passed over in a moment.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hack.client import Client, pay, wait_until_up
from hack.command import exit_with
from hack.images.catalog import OWN
from hack.kind import debian
from hack.kind.proc import CommandFailed, Failure
from hack.kind.settings import Cache
from hack.kubectl import Cluster, wait_ready
from hack.progress import say, step
from hack.side_by_side import Runner, side_by_side

REPOSITORY = Path(__file__).parents[1]
OPERATOR_NAMESPACE = "payment-operator-system"
NAMESPACE = "payments-dev"
NAME = "payments"
SAMPLE = REPOSITORY / "kustomize/overlays/dev"


def main() -> int:
    """Bring everything up; 0 when a payment went through."""
    parser = argparse.ArgumentParser(prog="make up", description=__doc__)
    parser.add_argument(
        "--timeout", type=float, default=600, help="seconds for the platform to get Ready (600)"
    )
    parser.add_argument(
        "--sample", type=Path, default=SAMPLE, help="kustomization with the platform (the dev overlay)"
    )
    arguments = parser.parse_args()
    cluster = Cluster.from_environment()
    _module("hack.kind", "prepare")
    names: list[str] = []

    def images(run: Runner) -> None:
        names.extend(json.loads(run("hack.images", "refs")))
        run("hack.images", "build", *(name for name in names if name not in OWN))
        run("hack.kind", "tools")  # one is in the operator's image, and they say what else the sample runs
        more: dict[str, str] = json.loads(run("hack.images", "refs", "observability"))
        used = sample_images(cluster, arguments.sample)
        names.extend(name for name, reference in more.items() if reference in used)
        run("hack.images", "build", *names)

    side_by_side({"cluster": lambda run: run("hack.kind", "up"), "images": images})
    tag = _output("hack.images", "tag").strip()
    references: dict[str, str] = json.loads(_output("hack.images", "refs", *names))
    _module("hack.kind", "load", *references.values())
    with step("operator"):
        install_operator(cluster, tag)
    with step(f"platform {NAMESPACE}/{NAME}") as current:
        cluster.namespace(NAMESPACE)
        apply_sample(cluster, tag, arguments.sample)
        wait_ready(cluster, NAMESPACE, NAME, arguments.timeout, current.note)
    offset = cluster.settings.port_offset or 0
    url = f"http://localhost:{8080 + offset}"
    with step("one payment through the load balancer") as current:
        client = Client(url)
        wait_until_up(client, 60)
        client.login("demo", "password123")
        payment = pay(client, amount=100, from_account="ACC001", to_account="ACC002")
        current.done(f"{payment['reference']} succeeded")
    install_uuidgen(cluster.settings.cache)
    say(_addresses(offset))
    return 0


def install_uuidgen(cache: Cache) -> None:
    """The README's requests have a key of `uuidgen`; curl leaves a header without a value out."""
    if shutil.which("uuidgen") is not None or not debian.can_install():
        return
    with step("uuidgen, for the README's requests") as current:
        try:
            debian.install(cache, current, {"uuidgen": "uuid-runtime"})
        except (CommandFailed, Failure) as error:
            current.note(str(error))  # the platform is up without


def install_operator(cluster: Cluster, tag: str) -> None:
    """Install or upgrade the operator's release with images of this tag, and wait until it runs."""
    cluster.namespace(OPERATOR_NAMESPACE)
    cluster.helm(
        *("upgrade", "--install", "payment-operator", str(REPOSITORY / "charts/payment-operator")),
        *("--namespace", OPERATOR_NAMESPACE, "--set", f"image.tag={tag}", "--wait", "--timeout", "180s"),
    )


def sample_images(cluster: Cluster, folder: Path) -> set[str]:
    """References of the images that the sample's pods run, by what its chart says."""
    (sample,) = _sample(cluster, folder)
    chart = str(REPOSITORY / "charts/payment-platform")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as values:
        json.dump(sample["spec"], values)
        values.flush()
        # Of the least version that the chart takes: no cluster is asked.
        rendered = cluster.offline(
            "helm", "template", NAME, chart, "--kube-version", "1.31.0", "--values", values.name
        )
    return set(re.findall(r'^ +image: "([^"]+)"$', rendered, re.MULTILINE))


def apply_sample(cluster: Cluster, tag: str, folder: Path) -> None:
    """Apply the platform of a kustomization with images of this tag."""
    for document in _sample(cluster, folder):
        document["spec"].setdefault("image", {})["tag"] = tag
        cluster.apply(document)


def _sample(cluster: Cluster, folder: Path) -> list[dict[str, Any]]:
    manifest = cluster.offline("kubectl", "kustomize", str(folder))
    # An empty local patch turns YAML into JSON without asking the cluster, which may not know the kind yet.
    to_json = ["kubectl", "patch", "--local", "-f", "-", "--type", "merge", "-p", "{}", "-o", "json"]
    objects = _documents(cluster.offline(*to_json, stdin=manifest))
    return [document for document in objects if document["kind"] == "PaymentPlatform"]


def _documents(text: str) -> list[dict[str, Any]]:
    """The JSON documents that kubectl wrote one after another."""
    decoder, documents = json.JSONDecoder(), []
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        documents.append(document)
        text = text[end:]
    return documents


def _addresses(offset: int) -> str:
    return "\n".join(
        [
            "the platform is up",
            f"  API           http://localhost:{8080 + offset}        (docs: /docs, user demo / password123)",
            f"  PostgreSQL    localhost:{5432 + offset}",
            f"  Redis         localhost:{6379 + offset}",
            f"  Prometheus    http://localhost:{9090 + offset}        (up to two minutes later)",
            f"  Jaeger        http://localhost:{16686 + offset}       (the page is in the public image only)",
            f"  platform      kubectl --context kind-payments -n {NAMESPACE} get pp",
            "  next          make demo, make down",
        ]
    )


def _module(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, cwd=REPOSITORY)


def _output(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    exit_with(main)
