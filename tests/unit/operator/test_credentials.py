"""Credentials: made once, never replaced, usable by those who read them."""

import base64
import json
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from payment_operator import keys
from payment_operator.apply import Writer
from payment_operator.catalog import schemas, secret_kinds
from payment_operator.cluster import Cluster
from payment_operator.credentials import ISSUER_PATH, JWKS_PATH, Credentials, Keeper, Stamp
from payment_operator.errors import MissingCredentials
from payment_operator.values import parse
from tests.unit.operator.builders import OWNER
from tests.unit.operator.fakes import FakeCluster

KINDS = secret_kinds(("payments", "audit"))
STAMP = Stamp("payments", "payment-operator", OWNER.reference())


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """A cluster with an issuer; RSA keys are small, for they take long."""
    monkeypatch.setattr(keys, "RSA_BITS", 1024)
    fake = FakeCluster()
    fake.raws[ISSUER_PATH] = {"issuer": "https://cluster.example"}
    fake.raws[JWKS_PATH] = {"keys": [{"kty": "RSA", "kid": "1", "n": "x", "e": "AQAB"}]}
    return fake


def ensure(fake: FakeCluster, spec: dict[str, Any] | None = None, *, write: bool = True) -> Credentials:
    cluster = cast(Cluster, fake)
    keeper = Keeper(cluster, Writer(cluster, "shop"), "shop", KINDS)
    return keeper.ensure(STAMP, parse(spec or {"profile": "dev"}), write=write)


def test_everything_is_made_once_and_then_only_read(cluster: FakeCluster) -> None:
    first = ensure(cluster)
    every = [kind.name for kind in KINDS if not kind.part]
    assert sorted(cluster.log) == sorted(f"create Secret/{name}" for name in every)
    cluster.log.clear()
    assert ensure(cluster) == first
    assert cluster.log == []


def test_what_is_made_belongs_to_the_platform(cluster: FakeCluster) -> None:
    ensure(cluster)
    metadata = cluster.objects["Secret", "shop", "redis-credentials"]["metadata"]
    assert metadata["ownerReferences"] == [OWNER.reference()]
    assert metadata["labels"]["paymentplatform.dev/platform"] == "payments"


def test_a_secret_of_the_users_is_used_as_it_is(cluster: FakeCluster) -> None:
    cluster.put_secret("shop", "redis-credentials", password="mine")
    ensure(cluster)
    assert "create Secret/redis-credentials" not in cluster.log
    stored = cluster.objects["Secret", "shop", "redis-credentials"]["data"]["password"]
    assert base64.b64decode(stored) == b"mine"


def test_a_users_secret_without_its_key_is_named(cluster: FakeCluster) -> None:
    cluster.put_secret("shop", "redis-credentials", pass_word="mine")
    with pytest.raises(MissingCredentials, match="Secret redis-credentials lacks password"):
        ensure(cluster)


def test_a_users_broken_key_set_is_named_without_its_content(cluster: FakeCluster) -> None:
    cluster.put_secret("shop", "gateway-signing-keys", **{"private.jwks.json": '{"keys": "canary"}'})
    with pytest.raises(MissingCredentials, match="gateway-signing-keys") as raised:
        ensure(cluster)
    assert "canary" not in str(raised.value)


def test_a_changed_secret_changes_its_own_hash_alone(cluster: FakeCluster) -> None:
    before = ensure(cluster).hashes
    cluster.put_secret("shop", "redis-credentials", password="other")
    after = ensure(cluster).hashes
    assert {name for name in before if before[name] != after[name]} == {"redis-credentials"}


def test_hashes_show_no_password(cluster: FakeCluster) -> None:
    cluster.put_secret("shop", "redis-credentials", password="canary")
    assert "canary" not in json.dumps(ensure(cluster).hashes)


def test_nothing_is_written_while_paused(cluster: FakeCluster) -> None:
    with pytest.raises(MissingCredentials, match="does not exist"):
        ensure(cluster, write=False)
    assert cluster.log == []


def test_external_dependencies_need_the_users_secrets_instead(cluster: FakeCluster) -> None:
    external = {"host": "db.example", "superuserSecretRef": {"name": "db"}}
    spec = {"profile": "dev", "postgres": {"mode": "External", "external": external}}
    with pytest.raises(
        MissingCredentials, match=r"Secret db of spec\.postgres\.external\.superuserSecretRef"
    ):
        ensure(cluster, spec)
    assert "create Secret/postgres-superuser" not in cluster.log
    cluster.put_secret("shop", "db", username="root", password="x")
    assert "db" in ensure(cluster, spec).hashes


def test_a_secret_that_the_operator_may_not_read_stops_nothing(cluster: FakeCluster) -> None:
    cluster.forbidden.add("db")
    external = {"host": "db.example", "superuserSecretRef": {"name": "db"}}
    spec = {"profile": "dev", "postgres": {"mode": "External", "external": external}}
    assert "db" not in ensure(cluster, spec).hashes


def test_public_halves_hold_nothing_private(cluster: FakeCluster) -> None:
    public, identity = ensure(cluster).config_maps
    published = json.loads(public["data"]["jwks.json"])["keys"]
    assert [key["alg"] for key in published] == ["ES256", "RSA-OAEP-256"]
    assert not any(key.keys() & {"d", "p", "q", "dp", "dq", "qi", "k"} for key in published)
    assert identity["data"]["issuer"] == "https://cluster.example"
    assert json.loads(identity["data"]["jwks.json"])["keys"][0]["kid"] == "1"


def test_a_signing_key_is_a_key_of_its_curve() -> None:
    jwk = keys.signing_jwk()
    private = ec.derive_private_key(number(jwk["d"]), ec.SECP256R1()).public_key().public_numbers()
    assert (private.x, private.y) == (number(jwk["x"]), number(jwk["y"]))
    assert all(len(jwk[name]) == 43 for name in ("x", "y", "d"))


def test_an_encryption_key_is_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "RSA_BITS", 1024)
    jwk = keys.encryption_jwk()
    public = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"]))
    p, q, d, dp, dq, qi = (number(jwk[name]) for name in ("p", "q", "d", "dp", "dq", "qi"))
    assert rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public).private_key().key_size == 1024


def test_key_ids_are_thumbprints() -> None:
    """The example of RFC 7638, section 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )
    assert (
        keys.thumbprint({"e": "AQAB", "kty": "RSA", "n": modulus})
        == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    )


def test_random_values_are_no_options_and_of_full_length() -> None:
    ids = {keys.kafka_cluster_id() for _ in range(300)}
    assert len(ids) == 300
    assert all(len(text) == 22 and not text.startswith("-") for text in ids)
    assert all(len(keys.password()) == 32 and keys.password()[0] not in "-_" for _ in range(100))
    assert len(keys.hmac_key()) == 43


def test_schemas_come_from_the_charts_catalog() -> None:
    chart = Path(__file__).parents[3] / "charts" / "payment-platform"
    assert schemas(chart) == (
        "accounts", "audit", "bank", "gateway", "kyc", "notification", "ofac", "otp", "payments",
        "verification",
    )  # fmt: skip
