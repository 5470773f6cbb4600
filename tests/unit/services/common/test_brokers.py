"""What Kafka's clients are told: with TLS, with a login, with both, with none."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from payments.common.brokers import Brokers, options
from payments.common.settings import KafkaSettings

PASSWORD = "s3cret-of-kafka"


@pytest.fixture(scope="module")
def authority() -> str:
    """A certificate of an authority, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster-ca")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def settings(monkeypatch: pytest.MonkeyPatch, **values: str) -> KafkaSettings:
    """As the chart sets them."""
    for name, value in {"bootstrap_servers": "kafka:9093", **values}.items():
        monkeypatch.setenv(f"KAFKA_{name.upper()}", value)
    return KafkaSettings()  # type: ignore[call-arg]  # from the environment


@pytest.mark.parametrize(
    ("tls", "username", "protocol"),
    [
        ("false", "", "PLAINTEXT"),
        ("true", "", "SSL"),
        ("false", "platform", "SASL_PLAINTEXT"),
        ("true", "platform", "SASL_SSL"),
    ],
)
async def test_clients_take_what_is_set(
    monkeypatch: pytest.MonkeyPatch, authority: str, tls: str, username: str, protocol: str
) -> None:
    found = settings(monkeypatch, tls=tls, ca=authority, username=username, password=PASSWORD).brokers
    told = found.options()
    assert told["security_protocol"] == protocol
    assert ("ssl_context" in told) == (tls == "true")
    assert ("sasl_plain_password" in told) == bool(username)
    if username:
        assert (told["sasl_mechanism"], told["sasl_plain_username"]) == ("SCRAM-SHA-512", username)
    for client in (AIOKafkaProducer(**told), AIOKafkaConsumer(**told)):
        await client.stop()
    await AIOKafkaAdminClient(**told).close()


def test_only_the_named_authority_is_trusted_and_names_are_checked(
    monkeypatch: pytest.MonkeyPatch, authority: str
) -> None:
    context = settings(monkeypatch, tls="true", ca=authority).brokers.options()["ssl_context"]
    assert [dict(entry[0] for entry in item["subject"]) for item in context.get_ca_certs()] == [
        {"commonName": "cluster-ca"}
    ]
    assert context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED
    with pytest.raises(ssl.SSLError):
        _ = settings(monkeypatch, tls="true", ca="no certificate").brokers


def test_the_password_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(monkeypatch, username="platform", password=PASSWORD)
    assert PASSWORD not in f"{found!r} {found.brokers!r} {found.model_dump()!r}"


def test_bare_addresses_ask_for_nothing() -> None:
    assert options("kafka:9092") == options(Brokers("kafka:9092"))
    assert options("kafka:9092") == {"bootstrap_servers": "kafka:9092", "security_protocol": "PLAINTEXT"}
