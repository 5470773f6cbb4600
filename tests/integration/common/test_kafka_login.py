"""A Kafka that asks for a login by TLS, as Strimzi's listener does: all clients get in, nobody else."""

import asyncio
import ipaddress
import secrets
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from hack.controlplane.servers import free_ports
from hack.dev.containers import KAFKA_VARIABLES, reference
from payments import kafka_exporter, topics
from payments.audit import anchors
from payments.common.brokers import Brokers, trusting
from payments.common.consumer_lag import LAG, consumer_lag
from payments.common.kafka import Consumer, Message, Producer
from payments.contracts.event import PAYMENT_EVENTS, TOPICS
from payments.topics import Settings

USER = "payments-kafka-user"
SECONDS = 60.0
START = """
set -e
cat > /tmp/server.properties <<'PROPERTIES'
process.roles=broker,controller
node.id=0
controller.quorum.voters=0@127.0.0.1:@CONTROLLER_PORT@
listeners=LOGIN://127.0.0.1:@PORT@,CONTROLLER://127.0.0.1:@CONTROLLER_PORT@
inter.broker.listener.name=LOGIN
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.login.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \\
  required username="@USER@" password="@PASSWORD@";
ssl.keystore.type=PEM
ssl.keystore.location=/certificates/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=/certificates/ca.crt
log.dirs=/tmp/kafka
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
PROPERTIES
/opt/kafka/bin/kafka-storage.sh format -t MkU3OEVBNTcwNTJENDM2Qg -c /tmp/server.properties \\
  --add-scram 'SCRAM-SHA-512=[name=@USER@,password=@PASSWORD@]' >/dev/null
exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties
"""


def certificates(folder: Path) -> str:
    """A broker's key and certificate for 127.0.0.1 and its authority's in a folder; the latter as PEM."""

    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])

    def builder(name: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named("cluster-ca"))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=1))
            .not_valid_after(now + timedelta(hours=1))
        )

    authority, broker = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = (
        builder("cluster-ca", authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(authority, hashes.SHA256())
    )
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    leaf = (
        builder("broker", broker.public_key()).add_extension(address, False).sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = broker.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "broker.pem").write_bytes(private + leaf.public_bytes(pem) + root.public_bytes(pem))
    (folder / "ca.crt").write_bytes(root.public_bytes(pem))
    for path in folder.iterdir():
        path.chmod(0o644)
    folder.chmod(0o755)
    return root.public_bytes(pem).decode()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """One broker in a container of its own, and what the chart would set."""
    password, (port, controller) = secrets.token_urlsafe(16), free_ports(2)
    folder = tmp_path_factory.mktemp("certificates")
    authority = certificates(folder)
    script = START
    values = {"PORT": str(port), "CONTROLLER_PORT": str(controller), "USER": USER, "PASSWORD": password}
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    container = f"payments-test-login-{port}"
    command = ["docker", "create", "--network=host", "--user=1000", f"--name={container}"]
    command += [*(f"--env={variable}" for variable in KAFKA_VARIABLES), "--entrypoint=bash"]
    try:
        for step in (
            [*command, reference("kafka"), "-c", script],
            ["docker", "cp", f"{folder}/.", f"{container}:/certificates"],
            ["docker", "start", container],
        ):
            subprocess.run(step, check=True, capture_output=True, timeout=60)
        yield Settings(
            kafka_bootstrap_servers=f"127.0.0.1:{port}",
            kafka_tls=True,
            kafka_ca=authority,
            kafka_username=USER,
            kafka_password=SecretStr(password),
        )
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", container], check=False, capture_output=True)


@pytest.fixture(scope="module")
async def brokers(settings: Settings) -> Brokers:
    """The broker once it answers; the topics are made by the Job's own program."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            await topics.create(settings)
            return settings.brokers
        except (KafkaError, OSError):
            assert time.monotonic() < end, "the broker does not answer"
            await asyncio.sleep(0.3)


async def test_every_kind_of_client_gets_in(brokers: Brokers) -> None:
    sent = [Message(PAYMENT_EVENTS, b"key", f"value {number}".encode()) for number in range(20)]
    came: list[bytes] = []
    all_there = asyncio.Event()

    async def handler(messages: Sequence[Message]) -> None:
        came.extend(message.value for message in messages)
        if len(came) >= len(sent):
            all_there.set()

    async with Producer(brokers, client_id="test") as producer:
        await producer.send(sent)
        async with Consumer(brokers, topic=PAYMENT_EVENTS, group="login", handler=handler, producer=producer):
            await asyncio.wait_for(all_there.wait(), 30)
    assert came == [message.value for message in sent]
    picture = await kafka_exporter.look(brokers)
    assert picture.brokers == 1
    assert {item.topic for item in picture.partitions} == set(TOPICS)
    assert sum(item.end for item in picture.partitions if item.topic == PAYMENT_EVENTS) == len(sent)
    await consumer_lag(brokers, topic=PAYMENT_EVENTS, group="nobody").take()
    assert LAG.labels(PAYMENT_EVENTS, "nobody")._value.get() == len(sent)
    assert await anchors.read(brokers) == []


async def test_nobody_else_gets_in(brokers: Brokers) -> None:
    others = {
        "another password": replace(brokers, password="wrong"),
        "another user": replace(brokers, username="somebody"),
        "no login": replace(brokers, username=""),
        "no TLS": replace(brokers, tls=None),
        "another authority": replace(brokers, tls=trusting("")),
    }
    for name, other in others.items():
        async with Producer(other, client_id="test", timeout=3) as producer:
            with pytest.raises((KafkaError, TimeoutError, OSError)):
                await producer.send([Message(PAYMENT_EVENTS, b"key", name.encode())])
    picture = await kafka_exporter.look(brokers)
    assert sum(item.end for item in picture.partitions if item.topic == PAYMENT_EVENTS) == 20
