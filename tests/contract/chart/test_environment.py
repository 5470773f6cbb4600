"""Variables of every pod: exactly those that the contract and the catalog name."""

import pytest

from tests.contract.chart.helm import MANAGED, NAMESPACE, Object, catalog, environment, named, pods, render
from tests.contract.chart.samples import EXTERNAL, PRODUCTION, merged

SERVICES = catalog()["services"]
EVERY = {
    "SERVICE", "HTTP_PORT", "PLATFORM_PROFILE", "LOG_LEVEL", "POD_NAME", "SHUTDOWN_DELAY_SECONDS",
    "IDENTITY_ISSUER_FILE", "IDENTITY_JWKS_FILE", "IDENTITY_TOKEN_FILE", "IDENTITY_NAMESPACE",
    "ALLOWED_CALLERS", "GATEWAY_JWKS_FILE", "LOG_LEVEL_FILE",
    "SERVICE_VERSION", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER_ARG",
}  # fmt: skip
DATABASE = {
    "DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD",
    "DATABASE_POOL_MAX",
}  # fmt: skip
REDIS = {"REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD"}
OWN = {
    "api-gateway": {
        "RATE_LIMIT_REQUESTS", "RATE_LIMIT_WINDOW_SECONDS", "CORS_ALLOWED_ORIGINS", "LOAD_BALANCER_TOKEN",
        "SIGNING_KEYS_FILE", "ENCRYPTION_KEYS_FILE",
    },
    "confirm-service": {"WEBHOOKS_ENABLED", "WEBHOOKS_ALLOW_PRIVATE", "WEBHOOKS_RETENTION_DAYS"},
    # What it exports to is off, so there are no credentials for it.
    "audit-service": {
        "SEARCH_URL", "SEARCH_RETENTION_SECONDS", "INFLUXDB_URL", "INFLUXDB_ORG", "INFLUXDB_BUCKET",
    },
    "otp-service": {"OTP_HMAC_KEY"},
    "notification-service": {"SMS_PROVIDER", "EMAIL_PROVIDER", "PUSH_PROVIDER"},
    "ofac-service": {"SANCTIONS_SOURCE", "SANCTIONS_REFRESH_SECONDS", "SANCTIONS_STALE_DAYS"},
}  # fmt: skip


def env_of(objects: list[Object], name: str) -> dict[str, object]:
    return environment(dict(pods(objects))[name])


@pytest.fixture(scope="module")
def dev() -> list[Object]:
    return render({"profile": "dev"})


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "load-balancer"])
def test_a_service_gets_what_the_catalog_says_and_no_more(dev: list[Object], name: str) -> None:
    entry = SERVICES[name]
    expected = EVERY | OWN.get(name, set())
    expected |= DATABASE if entry.get("schema") else set()
    expected |= REDIS if entry.get("redis") else set()
    expected |= {"KAFKA_BOOTSTRAP_SERVERS"} if entry.get("kafka") else set()
    expected |= {f"{callee.upper().replace('-', '_')}_URL" for callee in entry.get("calls", [])}
    env = env_of(dev, name)
    assert set(env) == expected
    assert env["SERVICE"] == name
    assert env["HTTP_PORT"] == str(entry["port"])
    assert env["IDENTITY_NAMESPACE"] == NAMESPACE
    callers = {other for other, its in SERVICES.items() if name in its.get("calls", [])}
    assert set(str(env["ALLOWED_CALLERS"]).split(",")) == callers
    for callee in entry.get("calls", []):
        url = env[f"{callee.upper().replace('-', '_')}_URL"]
        assert url == f"http://{callee}:{SERVICES[callee]['port']}"


@pytest.mark.parametrize("name", [name for name, entry in SERVICES.items() if entry.get("schema")])
def test_each_owner_has_a_role_of_its_own(dev: list[Object], name: str) -> None:
    env = env_of(dev, name)
    secret = f"{SERVICES[name]['schema']}-database"
    assert env["DATABASE_USER"] == {"secretKeyRef": {"name": secret, "key": "username"}}
    assert env["DATABASE_PASSWORD"] == {"secretKeyRef": {"name": secret, "key": "password"}}


def test_private_keys_are_mounted_in_the_issuer_only(dev: list[Object]) -> None:
    holders: dict[str, set[str]] = {}
    for name, pod in pods(dev):
        for volume in pod["spec"]["volumes"]:
            if secret := volume.get("secret", {}).get("secretName"):
                holders.setdefault(secret, set()).add(name)
    assert holders["gateway-signing-keys"] == holders["gateway-encryption-keys"] == {"api-gateway"}
    assert holders["postgres-superuser"] == {"postgres"}


def test_the_jobs(dev: list[Object]) -> None:
    migrate = env_of(dev, "migrate")
    assert migrate["DATABASE_PASSWORD"] == {"secretKeyRef": {"name": "postgres-superuser", "key": "password"}}
    assert migrate["SEED_DEMO"] == "true"
    folder = migrate["ROLE_PASSWORDS_DIR"]
    pod = dict(pods(dev))["migrate"]["spec"]
    (mount,) = [m for m in pod["containers"][0]["volumeMounts"] if m["mountPath"] == folder]
    (volume,) = [v for v in pod["volumes"] if v["name"] == mount["name"]]
    sources = [source["secret"] for source in volume["projected"]["sources"]]
    files = {item["name"]: item["items"] for item in sources if "optional" not in item}
    owners = [*SERVICES.values(), *catalog()["cronJobs"].values()]
    schemas = {entry["schema"] for entry in owners if entry.get("schema")}
    assert files == {
        f"{s}-database": [{"key": key, "path": f"{s}/{key}"} for key in ("username", "password")]
        for s in schemas
    }
    overlapping = {item["name"]: item["items"] for item in sources if item.get("optional")}
    assert overlapping == {
        f"{s}-database": [{"key": "previous-username", "path": f"{s}/previous-username"}] for s in schemas
    }
    topics = env_of(dev, "topics")
    assert [topics[f"TOPIC_{key}"] for key in ("PARTITIONS", "REPLICATION", "MIN_INSYNC_REPLICAS")] == [
        "3",
        "1",
        "1",
    ]


def test_production_has_three_replicas_of_each_topic_and_no_demo() -> None:
    objects = render(PRODUCTION)
    topics = env_of(objects, "topics")
    assert (topics["TOPIC_REPLICATION"], topics["TOPIC_MIN_INSYNC_REPLICAS"]) == ("3", "2")
    assert env_of(objects, "kafka")["BROKERS"] == "3"
    assert named(objects, "StatefulSet")["kafka"]["spec"]["replicas"] == 3
    assert env_of(objects, "migrate")["SEED_DEMO"] == "false"


def test_credentials_of_providers_are_mounted_where_named() -> None:
    pod = dict(pods(render(PRODUCTION)))["notification-service"]
    env = environment(pod)
    for channel, secret in (("SMS", "twilio"), ("EMAIL", "sendgrid"), ("PUSH", "fcm")):
        (mount,) = [
            m["name"]
            for m in pod["spec"]["containers"][0]["volumeMounts"]
            if m["mountPath"] == env[f"{channel}_CREDENTIALS_DIR"]
        ]
        assert {"name": mount, "secret": {"secretName": secret, "defaultMode": 0o440}} in pod["spec"][
            "volumes"
        ]
        assert env[f"{channel}_PROVIDER"] == secret


def test_external_dependencies_are_reached_by_reference() -> None:
    objects = render(EXTERNAL)
    assert named(objects, "StatefulSet") == {}
    gateway, migrate = env_of(objects, "api-gateway"), env_of(objects, "migrate")
    assert (gateway["DATABASE_HOST"], gateway["DATABASE_PORT"]) == ("db-rw.databases", "5433")
    assert gateway["REDIS_HOST"] == "redis.caches"
    assert gateway["REDIS_PASSWORD"] == {"secretKeyRef": {"name": "redis-login", "key": "password"}}
    assert gateway["KAFKA_BOOTSTRAP_SERVERS"] == "b-0.kafka:9094,b-1.kafka:9094"
    assert migrate["DATABASE_USER"] == {"secretKeyRef": {"name": "db-superuser", "key": "username"}}


def test_what_the_user_sets_wins() -> None:
    values = {
        "profile": "dev",
        "services": {
            "api-gateway": {"env": [{"name": "LOG_LEVEL", "value": "DEBUG"}, {"name": "MORE", "value": "1"}]}
        },
        "security": {"rateLimit": {"requests": 1000000, "window": "2h"}, "cors": {"allowedOrigins": []}},
        "demo": {"enabled": False},
    }
    objects = render(values)
    env = env_of(objects, "api-gateway")
    assert (env["LOG_LEVEL"], env["MORE"]) == ("DEBUG", "1")
    assert (env["RATE_LIMIT_REQUESTS"], env["RATE_LIMIT_WINDOW_SECONDS"]) == ("1000000", "7200")
    assert env["CORS_ALLOWED_ORIGINS"] == ""
    assert env_of(objects, "migrate")["SEED_DEMO"] == "false"
    assert env_of(objects, "otp-service")["LOG_LEVEL"] == "INFO"


def test_a_changed_secret_rolls_its_consumers_only() -> None:
    def annotations(hashes: dict[str, str]) -> dict[str, object]:
        values = merged(MANAGED, {"profile": "dev", "operator": {"secretHashes": hashes}})
        return {name: pod["metadata"].get("annotations") for name, pod in pods(render(values))}

    before, after = (
        annotations({"otp-hmac-key": "1", "redis-credentials": "1"}),
        annotations({"otp-hmac-key": "2", "redis-credentials": "1"}),
    )
    assert {name for name in before if before[name] != after[name]} == {"otp-service"}
    changed = annotations({"otp-hmac-key": "1", "redis-credentials": "2"})
    # Redis itself reads its passwords again.
    assert {name for name in before if before[name] != changed[name]} == {"api-gateway", "preflight"}


@pytest.mark.parametrize(("profile", "ratio"), [("dev", "1"), ("staging", "0.25"), ("production", "0.05")])
def test_traces_go_nowhere_until_there_is_a_collector(profile: str, ratio: str) -> None:
    env = env_of(render(PRODUCTION | {"profile": profile}), "confirm-service")
    assert (env["OTEL_EXPORTER_OTLP_ENDPOINT"], env["OTEL_TRACES_SAMPLER_ARG"]) == ("", ratio)


def test_traces_go_to_the_collector_that_is_named() -> None:
    def objects(**tracing: object) -> list[Object]:
        return render({"profile": "dev", "observability": {"tracing": tracing}})

    endpoint = "http://collector.monitoring:4318"
    named_one = objects(endpoint=endpoint, samplingRatio=0.5)
    for name in ("api-gateway", "audit-service", "partner-bank-api"):
        env = env_of(named_one, name)
        assert (env["OTEL_EXPORTER_OTLP_ENDPOINT"], env["OTEL_TRACES_SAMPLER_ARG"]) == (endpoint, "0.5")
    off = objects(endpoint=endpoint, enabled=False)
    assert env_of(off, "api-gateway")["OTEL_EXPORTER_OTLP_ENDPOINT"] == ""
