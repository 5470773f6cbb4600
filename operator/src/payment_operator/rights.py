"""The rights that the operator needs, as RBAC rules; its chart takes them from here. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from payment_operator.catalog import ROTATING, SecretKind
from payment_operator.credentials import ISSUER_PATH, JWKS_PATH
from payment_operator.kinds import CHILDREN, EVENT, PLATFORM, POD, PVC, SECRET

Rule = dict[str, Any]

#: What is done with a child: read by name, listed, watched, applied (which may create) and pruned.
CHILD_VERBS = ["get", "list", "watch", "create", "patch", "delete"]


def rules() -> list[Rule]:
    """Rules of one namespace, or of all."""
    groups = sorted({kind.group for kind in CHILDREN})
    by_group = [
        _rule(group, sorted(kind.plural for kind in CHILDREN if kind.group == group), CHILD_VERBS)
        for group in groups
    ]
    return [
        _rule(PLATFORM.group, [PLATFORM.plural], ["list", "watch"]),
        _rule(PLATFORM.group, [f"{PLATFORM.plural}/status"], ["patch"]),
        *by_group,
        _rule(POD.group, [POD.plural], ["list"]),
        _rule(PVC.group, [PVC.plural], ["get", "create", "patch"]),
        _rule(SECRET.group, [SECRET.plural], ["create"]),
        _rule(EVENT.group, [EVENT.plural], ["get", "create", "patch"]),
    ]


def secret_rule(names: Sequence[str]) -> Rule:
    """Secrets are read by name only; list and watch of one name at a time show no other."""
    return _rule(SECRET.group, [SECRET.plural], ["get", "list", "watch"]) | {"resourceNames": sorted(names)}


def rotation_rule(kinds: Sequence[SecretKind]) -> Rule:
    """The key sets and passwords that the operator rotates are the only Secrets that it ever changes."""
    names = {kind.name for kind in kinds if kind.rotates} | ROTATING
    return _rule(SECRET.group, [SECRET.plural], ["patch"]) | {"resourceNames": sorted(names)}


def cluster_rules() -> list[Rule]:
    """What is not of a namespace: the cluster's public keys, by which services know each other."""
    return [{"nonResourceURLs": [ISSUER_PATH, JWKS_PATH], "verbs": ["get"]}]


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> Rule:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}
