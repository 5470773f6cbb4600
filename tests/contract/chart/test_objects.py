"""What every object carries, and how objects follow the values."""

import re
from typing import Any

import pytest

from tests.contract.chart.helm import (
    MANAGED,
    RELEASE,
    Object,
    catalog,
    environment,
    named,
    pods,
    render,
)
from tests.contract.chart.samples import EXTERNAL, PRODUCTION, PROFILES, WATCHED, merged

CASES = {**PROFILES, "external": EXTERNAL, "operator": MANAGED | {"profile": "dev"}, "watched": WATCHED}
DEV: dict[str, Any] = {"profile": "dev"}
SERVICES = catalog()["services"]
PARTS = catalog()["observability"]
WAVES = {
    "ServiceAccount": "0", "ConfigMap": "0", "NetworkPolicy": "0", "Role": "0", "RoleBinding": "0",
    "StatefulSet": "1", "Job": "2", "PersistentVolumeClaim": "1", "Ingress": "4", "CronJob": "4",
}  # fmt: skip


@pytest.fixture(params=CASES)
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return render(CASES[request.param])


def test_names_and_labels(objects: list[Object]) -> None:
    keys = [(item["kind"], item["metadata"]["name"]) for item in objects]
    assert len(keys) == len(set(keys))
    for kind, name in keys:
        # A Job's and a StatefulSet's pods get a suffix, and their names are labels too.
        assert len(name) <= (52 if kind in ("Job", "CronJob", "StatefulSet") else 63), name
        assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", name), name
    for item in objects:
        labels = item["metadata"]["labels"]
        assert labels["paymentplatform.dev/platform"] == labels["app.kubernetes.io/instance"] == RELEASE
        assert labels["app.kubernetes.io/part-of"] == "payment-platform"
        assert {f"app.kubernetes.io/{key}" for key in ("name", "component", "managed-by", "version")} <= set(
            labels
        )
        assert all(len(str(value)) <= 63 for value in labels.values())


def test_waves(objects: list[Object]) -> None:
    for item in objects:
        kind, name = item["kind"], item["metadata"]["name"]
        wave = item["metadata"]["annotations"]["paymentplatform.dev/wave"]
        if name.startswith("credentials"):
            expected = "0"
        elif name in PARTS and WAVES.get(kind) != "0":
            expected = "4"
        elif kind in WAVES:
            expected = WAVES[kind]
        elif name.removesuffix("-headless") in SERVICES and name not in SERVICES:
            expected = "4"  # for who scrapes
        elif name == "load-balancer":
            expected = "4"
        else:
            expected = "3" if name in SERVICES else "1"
        assert wave == expected, (kind, name)


def test_selectors_find_their_pods_and_nobody_elses(objects: list[Object]) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(objects)}
    for kind in ("Deployment", "StatefulSet", "PodDisruptionBudget", "Service"):
        for name, item in named(objects, kind).items():
            selector = item["spec"]["selector"]
            selector = selector if kind == "Service" else selector["matchLabels"]
            found = {n for n, its in labels.items() if selector.items() <= its.items()}
            assert found == {name.removesuffix("-headless")}, (kind, name)


def test_services_lead_to_ports_that_exist(objects: list[Object]) -> None:
    for name, item in named(objects, "Service").items():
        pod = dict(pods(objects))[name.removesuffix("-headless")]
        ports = {port["name"]: port["containerPort"] for port in pod["spec"]["containers"][0]["ports"]}
        for port in item["spec"]["ports"]:
            assert port["targetPort"] in ports
            if port["name"] != "https":
                assert ports[port["targetPort"]] == port["port"]
    for name, entry in SERVICES.items():
        assert named(objects, "Service")[name]["spec"]["ports"][0]["port"] == entry["port"]


def test_every_deployment_has_its_family(objects: list[Object]) -> None:
    assert set(named(objects, "Deployment")) - set(PARTS) == set(SERVICES)
    for kind in ("Service", "ServiceAccount", "PodDisruptionBudget"):
        assert set(SERVICES) <= set(named(objects, kind)), kind
    for budget in named(objects, "PodDisruptionBudget").values():
        assert budget["spec"]["maxUnavailable"] == 1


def test_no_secret_is_rendered(objects: list[Object]) -> None:
    assert named(objects, "Secret") == {}
    for name, pod in pods(objects):
        for variable, value in environment(pod).items():
            if re.search(r"PASSWORD$|TOKEN$|_KEY$", variable):
                assert "secretKeyRef" in value, f"{name}: {variable} in plain text"


def test_production_scales_by_load() -> None:
    rendered = render(PRODUCTION)
    scaled = {"api-gateway", "confirm-service", "account-service", "risk-service"}
    scalers = named(rendered, "HorizontalPodAutoscaler")
    assert set(scalers) == scaled
    for name, item in named(rendered, "Deployment").items():
        if name in scaled:
            assert "replicas" not in item["spec"]
            assert (scalers[name]["spec"]["minReplicas"], scalers[name]["spec"]["maxReplicas"]) == (3, 10)
        else:
            assert item["spec"]["replicas"] == 2


def test_dev_is_small() -> None:
    rendered = render(DEV)
    assert named(rendered, "HorizontalPodAutoscaler") == {}
    replicas = {name: item["spec"]["replicas"] for name, item in named(rendered, "Deployment").items()}
    assert replicas == {name: 2 if name == "api-gateway" else 1 for name in SERVICES}
    cpu = 0
    for name, pod in pods(rendered):
        if name in replicas or name in named(rendered, "StatefulSet"):
            request = pod["spec"]["containers"][0]["resources"]["requests"]["cpu"]
            cpu += int(request.removesuffix("m")) * replicas.get(name, 1)
    assert cpu <= 300, "three platforms are to fit on two cores"


@pytest.mark.parametrize(
    ("profile", "expected"), [("dev", "Delete"), ("staging", "Retain"), ("production", "Retain")]
)
def test_volumes_on_deletion(profile: str, expected: str) -> None:
    sets = named(render(PROFILES[profile]), "StatefulSet")
    assert set(sets) == {"postgres", "redis", "kafka"}
    for item in sets.values():
        assert item["spec"]["persistentVolumeClaimRetentionPolicy"] == {
            "whenDeleted": expected,
            "whenScaled": "Retain",
        }


def test_storage_follows_the_values() -> None:
    storage = {"size": "7Gi", "className": "fast", "onDelete": "Retain"}
    item = named(render(DEV | {"kafka": {"storage": storage}}), "StatefulSet")["kafka"]
    (claim,) = item["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "7Gi"
    assert claim["spec"]["storageClassName"] == "fast"
    assert item["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"


def test_jobs_are_named_by_their_inputs() -> None:
    def jobs(values: dict[str, Any]) -> dict[str, str]:
        names = named(render(merged(MANAGED, values)), "Job")
        return {name.rpartition("-")[0]: name for name in names}

    base = jobs(DEV)
    assert set(base) == {"migrate", "topics", "preflight", "smoke"}
    assert jobs(DEV) == base
    # A value that no Job reads changes no Job; each of these changes what it names.
    assert jobs(DEV | {"services": {"kyc-service": {"replicas": 2}}}) == base
    assert jobs(DEV | {"version": "0.1.1"}) == base
    image = jobs(DEV | {"image": {"tag": "0.2.0"}})
    assert image["migrate"] != base["migrate"] and image["topics"] != base["topics"]
    demo = jobs(DEV | {"demo": {"enabled": False}})
    assert demo["migrate"] != base["migrate"] and demo["topics"] == base["topics"]
    password = jobs(DEV | {"operator": {"managed": True, "secretHashes": {"kyc-database": "x"}}})
    assert password["migrate"] != base["migrate"] and password["topics"] == base["topics"]
    for item in named(render(MANAGED | DEV), "Job").values():
        assert "ttlSecondsAfterFinished" not in item["spec"]


def test_a_new_version_alone_changes_no_pod() -> None:
    old, new = (dict(pods(render(MANAGED | DEV | {"version": version}))) for version in ("0.1.0", "0.1.1"))
    assert old == new


def test_images() -> None:
    values = DEV | {
        "image": {"registry": "mirror.example.com/pay/", "tag": "1.2.3", "pullSecrets": [{"name": "login"}]}
    }
    seen = {}
    for name, pod in pods(render(values)):
        seen[name] = pod["spec"]["containers"][0]["image"]
        assert pod["spec"]["imagePullSecrets"] == [{"name": "login"}]
    assert all(image.startswith("mirror.example.com/pay/") for image in seen.values())
    assert seen["api-gateway"] == seen["migrate"] == "mirror.example.com/pay/payment-platform/services:1.2.3"
    assert seen["credentials"] == "mirror.example.com/pay/payment-platform/operator:1.2.3"
    assert seen["kafka"] == "mirror.example.com/pay/apache/kafka:4.1.0"


def test_credentials_are_made_by_a_hook_only_under_plain_helm() -> None:
    plain = [item for item in render(DEV) if item["metadata"]["name"] == "credentials"]
    hooks = {item["kind"]: item for item in plain if "helm.sh/hook" in item["metadata"]["annotations"]}
    assert set(hooks) == {"ServiceAccount", "Role", "RoleBinding", "Job"}
    weights = {
        kind: int(item["metadata"]["annotations"]["helm.sh/hook-weight"]) for kind, item in hooks.items()
    }
    assert weights["Job"] > weights["RoleBinding"] > weights["Role"]
    for rule in hooks["Role"]["rules"]:
        assert set(rule["verbs"]) == {"create"} or rule["resourceNames"]
        assert "*" not in rule["verbs"] and not {"delete", "list"} & set(rule["verbs"])
    named_secrets = {name for rule in hooks["Role"]["rules"] for name in rule.get("resourceNames", [])}
    used = {
        volume["secret"]["secretName"]
        for _, pod in pods(render(DEV))
        for volume in pod["spec"]["volumes"]
        if "secret" in volume
    }
    used |= {
        value["secretKeyRef"]["name"]
        for _, pod in pods(render(DEV))
        for value in environment(pod).values()
        if isinstance(value, dict) and "secretKeyRef" in value
    }
    assert used <= named_secrets
    managed = render(MANAGED | DEV)
    assert not [item for item in managed if item["metadata"]["name"] == "credentials"]
    assert not [item for item in managed if "helm.sh/hook" in item["metadata"]["annotations"]]


@pytest.mark.parametrize(
    ("values", "kind", "ports"),
    [
        ({}, "ClusterIP", [("http", 8080, None)]),
        ({"type": "NodePort", "nodePort": 30080}, "NodePort", [("http", 8080, 30080)]),
        (
            {"type": "LoadBalancer", "ingress": {"tlsSecretName": "tls"}},
            "LoadBalancer",
            [("https", 443, None)],
        ),
    ],
)
def test_the_entrance(values: dict[str, Any], kind: str, ports: list[tuple[str, int, int | None]]) -> None:
    rendered = render(DEV | {"loadBalancer": values})
    spec = named(rendered, "Service")["load-balancer"]["spec"]
    assert spec["type"] == kind
    assert [(p["name"], p["port"], p.get("nodePort")) for p in spec["ports"]] == ports
    pod = dict(pods(rendered))["load-balancer"]
    tls = ports[0][0] == "https"
    assert environment(pod)["TLS"] == str(tls).lower()
    assert any(v.get("secret", {}).get("secretName") == "tls" for v in pod["spec"]["volumes"]) == tls
    assert named(rendered, "Ingress") == {}


def test_the_ingress() -> None:
    rendered = render(PRODUCTION)
    spec = named(rendered, "Ingress")["load-balancer"]["spec"]
    assert spec["ingressClassName"] == "nginx"
    assert spec["tls"] == [{"hosts": ["pay.example.com"], "secretName": "pay-example-com"}]
    assert spec["rules"][0]["host"] == "pay.example.com"
    assert environment(dict(pods(rendered))["load-balancer"])["BEHIND_INGRESS"] == "true"


def test_the_scheduled_verification_follows_the_values() -> None:
    job = named(render(DEV), "CronJob")["verification"]
    assert (job["spec"]["schedule"], job["spec"]["suspend"]) == ("7 * * * *", False)
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    template = job["spec"]["jobTemplate"]["spec"]
    assert template["template"]["spec"]["restartPolicy"] == "Never"
    # A Job that the CronJob makes carries no label of the platform's: it is not the operator's to prune.
    assert "metadata" not in job["spec"]["jobTemplate"]
    daily = named(render(DEV | {"verification": {"schedule": "0 3 * * *"}}), "CronJob")["verification"]
    assert daily["spec"]["schedule"] == "0 3 * * *"
    off = named(render(DEV | {"verification": {"schedule": ""}}), "CronJob")["verification"]
    assert off["spec"]["suspend"] is True


def test_the_preflight_starts_every_image_of_the_version() -> None:
    pod = dict(pods(render(MANAGED | DEV)))["preflight"]
    started = {item["image"] for item in (*pod["spec"]["initContainers"], *pod["spec"]["containers"])}
    used = {item["image"] for _, other in pods(render(MANAGED | DEV)) for item in other["spec"]["containers"]}
    assert started == used
    phases = {
        name.rpartition("-")[0]: item["metadata"]["annotations"].get("paymentplatform.dev/phase")
        for name, item in named(render(MANAGED | DEV), "Job").items()
    }
    assert phases == {"migrate": None, "topics": None, "preflight": "preflight", "smoke": "smoke"}
