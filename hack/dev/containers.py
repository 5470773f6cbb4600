"""PostgreSQL, Redis and Kafka as containers of the image catalog, on ports of the loopback."""

import json
import subprocess
import time
from dataclasses import dataclass

from hack.dev.catalog import REPOSITORY, Servers
from hack.dev.identity import POSTGRES_PASSWORD, REDIS_PASSWORD

IMAGES = REPOSITORY / "charts/payment-platform/files/images.json"

# It lives for minutes: the compiler and collector that start fast, and the image's archive of loaded classes.
KAFKA_VARIABLES = (
    "KAFKA_HEAP_OPTS=-Xms256m -Xmx256m",
    "KAFKA_JVM_PERFORMANCE_OPTS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "KAFKA_OPTS=-XX:SharedArchiveFile=/opt/kafka/kafka.jsa",
)

_POSTGRES = """
set -e
export PATH=/usr/lib/postgresql/17/bin:$PATH PGDATA=/tmp/pgdata
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  echo "$PASSWORD" > /tmp/password
  initdb -U postgres --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
exec postgres -c listen_addresses=127.0.0.1 -c port=@PORT@ \
  -c shared_preload_libraries=pg_stat_statements -c pg_stat_statements.track_utility=off \
  -c max_connections=300 -c unix_socket_directories=/tmp
"""

_REDIS = """mkdir -p /tmp/redis; exec redis-server --bind 127.0.0.1 --port @PORT@ --requirepass "$PASSWORD" \
  --appendonly yes --dir /tmp/redis --maxmemory-policy noeviction"""

_KAFKA = """
set -e
cat > /tmp/server.properties <<'PROPERTIES'
process.roles=broker,controller
node.id=0
controller.quorum.voters=0@127.0.0.1:@CONTROLLER_PORT@
listeners=PLAINTEXT://127.0.0.1:@PORT@,CONTROLLER://127.0.0.1:@CONTROLLER_PORT@
advertised.listeners=PLAINTEXT://127.0.0.1:@ADVERTISED_PORT@
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=/tmp/kafka
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
PROPERTIES
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted -t MkU3OEVBNTcwNTJENDM2Qg \\
  -c /tmp/server.properties >/dev/null
exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties
"""


@dataclass(frozen=True)
class Container:
    """One dependency: image key in images.json, start script, port inside and on the loopback."""

    image: str
    script: str
    port: int
    user: int
    variables: tuple[str, ...] = ()


def _containers(offset: int) -> dict[str, Container]:
    return {
        "postgres": Container("postgres", _POSTGRES, 13432 + offset, 999, (f"PASSWORD={POSTGRES_PASSWORD}",)),
        "redis": Container("redis", _REDIS, 13379 + offset, 999, (f"PASSWORD={REDIS_PASSWORD}",)),
        "kafka": Container("kafka", _KAFKA, 13092 + offset, 1000, KAFKA_VARIABLES),
    }


def reference(image: str) -> str:
    """repository:tag of an image of the catalog."""
    entry = json.loads(IMAGES.read_text())[image]
    return f"{entry['repository']}:{entry['tag']}"


def start(
    prefix: str,
    *,
    offset: int = 0,
    only: tuple[str, ...] = ("postgres", "redis", "kafka"),
    kafka_advertised: int | None = None,
) -> Servers:
    """Start what does not run yet and wait until all answer.

    Host networking with loopback ports: no port mapping to wait for, and Kafka's advertised address is right.

    Args:
        kafka_advertised: the port that Kafka tells its clients, when they are to come by a proxy.

    Raises:
        subprocess.CalledProcessError: docker refused; its message is on stderr.
        TimeoutError: a container did not come up; its last lines are in the message.
    """
    containers = _containers(offset)
    for name in only:
        container = containers[name]
        if _running(f"{prefix}-{name}"):
            continue
        subprocess.run(["docker", "rm", "-f", f"{prefix}-{name}"], check=False, capture_output=True)
        script = container.script.replace("@PORT@", str(container.port))
        script = script.replace("@CONTROLLER_PORT@", str(container.port + 1))
        script = script.replace("@ADVERTISED_PORT@", str(kafka_advertised or container.port))
        variables = [part for variable in container.variables for part in ("--env", variable)]
        subprocess.run(
            [
                "docker",
                "run",
                "--detach",
                "--network=host",
                f"--user={container.user}",
                f"--name={prefix}-{name}",
                *variables,
            ]
            + ["--entrypoint=bash", reference(container.image), "-c", script],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    for name in only:
        _wait(prefix, name, containers[name].port)
    postgres, redis, kafka = (("127.0.0.1", containers[name].port) for name in containers)
    return Servers(postgres, redis, kafka)


def kill(prefix: str, name: str) -> None:
    """SIGKILL a dependency; its data stay."""
    subprocess.run(["docker", "kill", f"{prefix}-{name}"], check=True, capture_output=True, timeout=60)


def restart(prefix: str, name: str, *, offset: int = 0) -> None:
    """Start a dependency that was killed, with the data it had, and wait until it answers."""
    subprocess.run(["docker", "start", f"{prefix}-{name}"], check=True, capture_output=True, timeout=60)
    _wait(prefix, name, _containers(offset)[name].port)


def stop(prefix: str) -> None:
    """Remove the containers and their data."""
    names = [f"{prefix}-{name}" for name in ("postgres", "redis", "kafka")]
    subprocess.run(["docker", "rm", "--force", "--volumes", *names], check=False, capture_output=True)


def _running(name: str) -> bool:
    command = ["docker", "inspect", "--format", "{{.State.Running}}", name]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip() == "true"


def _probe(name: str, port: int) -> list[str]:
    return {
        "postgres": ["/usr/lib/postgresql/17/bin/pg_isready", "-h", "127.0.0.1", "-p", str(port)],
        "redis": ["redis-cli", "-p", str(port), "--no-auth-warning", "-a", REDIS_PASSWORD, "ping"],
        "kafka": ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"],
    }[name]


def _wait(prefix: str, name: str, port: int, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    command = ["docker", "exec", f"{prefix}-{name}", *_probe(name, port)]
    while subprocess.run(command, check=False, capture_output=True).returncode != 0:
        if time.monotonic() > end:
            logs = subprocess.run(
                ["docker", "logs", "--tail=15", f"{prefix}-{name}"],
                check=False,
                capture_output=True,
                text=True,
            )
            raise TimeoutError(f"{name} did not start within {seconds:.0f} s:\n{logs.stdout}{logs.stderr}")
        time.sleep(0.3)
