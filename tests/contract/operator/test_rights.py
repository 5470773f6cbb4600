"""The operator's rights are what its code does with what the chart renders: not more, not less.

A platform with everything in it lives through install, growth and removal against a cluster that records all
requests as RBAC sees them; the record is compared with the rules that the operator's chart grants.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kopf
import pytest
import yaml

from hack.generation.deployment import find_helm
from payment_operator import handlers, keys
from payment_operator.backup import job_name
from payment_operator.catalog import schemas
from payment_operator.errors import ApiError
from payment_operator.kinds import BY_KIND, CHILDREN, LEASE, PLATFORM, PVC, SECRET, Kind
from payment_operator.lease import NAME
from payment_operator.render import Renderer
from payment_operator.requests import BACKUP_ANNOTATION, ROTATE_ANNOTATION
from payment_operator.rotation import REQUESTS
from payment_operator.settings import FIELD_MANAGER
from payment_operator.workqueue import WorkQueue
from tests.contract.chart.samples import PRODUCTION, STACK
from tests.unit.operator.builders import Object
from tests.unit.operator.world import Managed, World

CHARTS = Path(__file__).parents[3] / "charts"
Right = tuple[str, str, str, str]  # verb, group, resource, name ("" for any)


class Recording(Managed):
    """Notes each request as (verb, group, resource, name); the name for Secrets only, granted by name."""

    def __init__(self) -> None:
        super().__init__()
        self.rights: set[Right] = set()
        self.paths: set[str] = set()
        self.claims_immutable = False

    def note(self, verb: str, kind: Kind, name: str = "", subresource: str = "") -> None:
        named = name if kind == SECRET and verb != "create" else ""
        plural = f"{kind.plural}/{subresource}" if subresource else kind.plural
        self.rights.add((verb, kind.group, plural, named))

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        self.note("get", kind, name)
        return super().get(kind, namespace, name)

    def list(self, kind: Kind, namespace: str | None, selector: str | None = None) -> list[Object]:
        self.note("list", kind)
        return super().list(kind, namespace, selector)

    def call(self, operation: str, kind: Kind, **arguments: Any) -> Object:
        self.note(operation, kind, arguments.get("name", ""))
        return super().call(operation, kind, **arguments)

    def apply(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        body: Object,
        *,
        subresource: str = "",
        manager: str = FIELD_MANAGER,
        dry_run: bool = False,
    ) -> Object:
        self.note("patch", kind, name, subresource)
        present = self.objects.get((kind.kind, namespace, name))
        if present is None and kind.kind != "PersistentVolumeClaim":
            self.note("create", kind)  # server-side apply of what is not there is a create as well
        if kind.kind == "StatefulSet" and present and self.claims_immutable:
            raise ApiError(422, "spec: Forbidden: updates to statefulset spec for fields other than …")
        return super().apply(
            kind, namespace, name, body, subresource=subresource, manager=manager, dry_run=dry_run
        )

    def raw(self, path: str) -> Object:
        self.paths.add(path)
        return super().raw(path)


@pytest.fixture(scope="module")
def lived() -> Recording:
    """A platform's whole life, with every kind that the chart can render."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "RSA_BITS", 1024)
        cluster = Recording()
        chart = CHARTS / "payment-platform"
        renderer = Renderer(chart, helm=find_helm(), timeout=60)
        world = World(cluster, renderer, schemas(chart))
        for name in ("twilio", "sendgrid", "fcm"):
            cluster.put_secret("shop", name, token="x")
        platform = world.declare(**PRODUCTION, **STACK)
        world.settle()
        kinds = {kind for kind, _, _ in cluster.objects} - {"PaymentPlatform", "Secret", "Event"}
        assert kinds == {kind.kind for kind in (*CHILDREN, PVC)}, "the table of kinds and the chart differ"
        # One of each kind is suddenly somebody else's: it is looked at by its name.
        others = {kind: item for (kind, _, _), item in cluster.objects.items() if kind in kinds}
        owned = {kind: item["metadata"] for kind, item in others.items()}
        for item in others.values():
            item["metadata"] = {key: item["metadata"][key] for key in ("name", "namespace")}
        world.run()
        for kind, item in others.items():
            item["metadata"] = owned[kind]
        cluster.claims_immutable = True
        platform["spec"] = platform["spec"] | {"postgres": {"storage": {"size": "900Gi"}}}
        world.run()
        cluster.claims_immutable = False
        platform["metadata"]["annotations"] = {
            ROTATE_ANNOTATION: ", ".join(REQUESTS),
            BACKUP_ANNOTATION: "now-1",
        }
        world.run()
        world.settle()
        # It belongs to its CronJob, with which Kubernetes removes it.
        del cluster.objects["Job", "shop", job_name("now-1")]
        # An operator whose chart has nothing any more prunes one of each kind.
        patch.setattr(renderer, "render", lambda _: [])
        desired_before = {kind for kind, _, _ in cluster.objects}
        for name in ("gateway-public-keys", "service-identity"):
            assert ("ConfigMap", "shop", name) in cluster.objects
        world.run()
        assert desired_before - {kind for kind, _, _ in cluster.objects} >= {
            "Deployment",
            "StatefulSet",
            "Job",
            "CronJob",
        }
        return cluster


def watched() -> set[Right]:
    """What Kopf lists and watches, and the streams of Secrets."""
    addresses: list[tuple[str, str, str]] = []

    def on_event(group: str, version: str, plural: str, **_: Any) -> Any:
        addresses.append((group, version, plural))
        return lambda function: function

    async def run(_: str) -> float | None:
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kopf.on, "event", on_event)
        queue = WorkQueue(run, workers=1, clock=lambda: 0.0)
        handlers.register(kopf.OperatorRegistry(), kopf.OperatorSettings(), queue)
    return {(verb, group, plural, "") for group, _, plural in addresses for verb in ("list", "watch")}


def chart_objects(*options: str) -> list[Object]:
    """The operator's chart, rendered."""
    command = [find_helm(), "template", "payment-operator", str(CHARTS / "payment-operator")]
    command += ["--namespace", "ops", "--kube-version", "1.34.0", *options]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    return [item for item in yaml.load_all(text, Loader=yaml.CSafeLoader) if item]


def granted(rules: list[Mapping[str, Any]]) -> set[Right]:
    """The rules one by one."""
    return {
        (verb, group, resource, name)
        for rule in rules
        if "resources" in rule
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
    }


def rules_of(objects: list[Object], kind: str) -> list[Mapping[str, Any]]:
    """Rules of the operator's own role of that kind."""
    (role,) = [
        item for item in objects if item["kind"] == kind and item["metadata"]["name"] == "payment-operator"
    ]
    rules: list[Mapping[str, Any]] = role["rules"]
    return rules


BROUGHT = {"twilio", "sendgrid", "fcm"}


def test_rights_are_what_is_done_not_more_not_less(lived: Recording) -> None:
    rules = rules_of(chart_objects(), "ClusterRole")
    # Reading Secrets that users bring is granted by the value `secretNames` only.
    done = {right for right in lived.rights if right[3] not in BROUGHT} | watched()
    names = {name for verb, _, resource, name in done if resource == "secrets" and verb == "get"}
    done |= {(verb, "", "secrets", name) for verb in ("list", "watch") for name in names}
    assert granted(rules) - done == set()
    assert done - granted(rules) == set()


def test_paths_are_what_is_asked(lived: Recording) -> None:
    paths = [
        path for rule in rules_of(chart_objects(), "ClusterRole") for path in rule.get("nonResourceURLs", [])
    ]
    assert set(paths) == lived.paths


def test_with_namespaces_nothing_but_public_keys_is_cluster_wide() -> None:
    objects = chart_objects("--set", "watchNamespaces={a,b}", "--set", "secretNames={db}")
    assert granted(rules_of(objects, "ClusterRole")) == set()
    roles = [item for item in objects if item["kind"] == "Role" and item["metadata"]["namespace"] != "ops"]
    assert [item["metadata"]["namespace"] for item in roles] == ["a", "b"]
    extra = {(verb, "", "secrets", "db") for verb in ("get", "list", "watch")}
    assert all(
        granted(role["rules"]) == granted(rules_of(chart_objects(), "ClusterRole")) | extra for role in roles
    )


def test_of_its_own_namespace_the_operator_has_its_lease_alone() -> None:
    (role,) = [item for item in chart_objects() if item["kind"] == "Role"]
    assert role["metadata"]["namespace"] == "ops"
    assert granted(role["rules"]) == {
        ("create", LEASE.group, LEASE.plural, ""),
        ("get", LEASE.group, LEASE.plural, NAME),
        ("update", LEASE.group, LEASE.plural, NAME),
    }


def test_no_rule_is_wide() -> None:
    for item in chart_objects():
        for rule in item.get("rules", []) if item["kind"] in ("ClusterRole", "Role") else []:
            text = json.dumps(rule)
            assert "*" not in text
            assert not {"bind", "escalate", "impersonate"} & set(rule["verbs"])
            if "secrets" in rule.get("resources", []):
                assert rule["verbs"] == ["create"] or rule["resourceNames"]


def test_admins_edit_and_viewers_read_platforms() -> None:
    roles = {item["metadata"]["name"]: item for item in chart_objects() if item["kind"] == "ClusterRole"}
    for name, label, verb in (
        ("edit", "admin", "update"),
        ("edit", "edit", "create"),
        ("view", "view", "list"),
    ):
        role = roles[f"payment-platforms-{name}"]
        assert role["metadata"]["labels"][f"rbac.authorization.k8s.io/aggregate-to-{label}"] == "true"
        assert role["rules"][0]["resources"] == [PLATFORM.plural]
        assert verb in role["rules"][0]["verbs"]


def test_every_kind_has_its_path() -> None:
    assert len({(kind.group, kind.plural) for kind in BY_KIND.values()}) == len(BY_KIND)
