"""What is generated for the operator's own deployment: its rights, and the plain manifests for kustomize."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from payment_operator.catalog import schemas, secret_kinds
from payment_operator.rights import cluster_rules, rotation_rule, rules, secret_rule

NAMESPACE = "payment-operator-system"
KUBE_VERSION = "v1.34.0"


def rights(platform_chart: Path) -> dict[str, Any]:
    """The rules that the operator's chart grants, in the namespace and in the cluster."""
    kinds = secret_kinds(schemas(platform_chart))
    names = [kind.name for kind in kinds]
    return {
        "cluster": cluster_rules(),
        "rules": [*rules(), rotation_rule(kinds)],
        "secrets": secret_rule(names),
    }


def operator_manifests(operator_chart: Path) -> str:
    """The operator's chart with its defaults. Raises RuntimeError when helm is missing or refuses."""
    command = [find_helm(), "template", "payment-operator", str(operator_chart), "--namespace", NAMESPACE]
    done = subprocess.run(
        [*command, "--kube-version", KUBE_VERSION], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"helm template {operator_chart.name}: {done.stderr.strip()}")
    lines = (line.rstrip() for line in done.stdout.splitlines())
    return "\n".join(line.replace("managed-by: Helm", "managed-by: kustomize") for line in lines) + "\n"


def find_helm() -> str:
    """helm on PATH, or the one in the project's cache."""
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    own = Path(os.environ.get("PAYMENTS_CACHE", f"{cache}/payment-platform")) / "bin" / "helm"
    found = shutil.which("helm") or (str(own) if own.is_file() else None)
    if found is None:
        raise RuntimeError(f"helm is missing: install helm 3, or let `make up` put it into {own.parent}")
    return found
