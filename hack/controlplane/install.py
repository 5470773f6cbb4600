"""What an administrator installs before the first platform: CRD and rights of the operator's chart."""

from __future__ import annotations

import subprocess

import yaml

from hack.controlplane.api import Api, wait
from hack.controlplane.operators import REPOSITORY
from hack.controlplane.servers import OPERATOR_NAMESPACE, built
from hack.kind import versions

#: Secrets of the user that operators may read.
SECRET_NAMES = ("sms-provider",)
KINDS = ("CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


def install(api: Api) -> None:
    """Apply them and wait until the API server serves the kind."""
    api.namespace(OPERATOR_NAMESPACE)
    command = [str(built() / "helm"), "template", "operator", str(REPOSITORY / "charts/payment-operator")]
    command += ["--namespace", OPERATOR_NAMESPACE, "--kube-version", versions.KUBERNETES]
    # Any further Secret that a spec refers to must be named.
    command += ["--set", f"secretNames={{{','.join(SECRET_NAMES)}}}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    for document in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader):
        if document and document["kind"] in KINDS:
            api.apply(document)

    def served() -> bool:
        crd = api.there("CustomResourceDefinition", "", "paymentplatforms.paymentplatform.dev")
        found = crd.get("status", {}).get("conditions") or ()
        return any(item["type"] == "Established" and item["status"] == "True" for item in found)

    wait(served, 20, "the kind PaymentPlatform")
