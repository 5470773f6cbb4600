"""NetworkPolicies against the connections that really happen, in both directions.

The local cluster enforces no policies, so a connection that they forbid still happens and is seen.
"""

import secrets
import threading
import time

from hack.client import Client
from hack.demo import Demo
from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.support.network import Flow, allowed, seen

PORTS = [8080, 3000, 3003, 3004, 3005, 3006, 3007, 3008, 3009, 3010, 3011, 5432, 6379, 9092, 9093]
# Of what watches: metrics, traces, the search engine, the points.
PORTS += [8090, 8888, 8889, 9090, 9121, 9187, 9308, 4317, 4318, 8086, 9200, 16686]

# Allowed, but not on the way of the payments that this test makes.
JUSTIFIED = {
    Flow("partner-bank-api", "otel-collector", 4318): "sends spans in batches, some time after the payment",
    Flow("prometheus", "otel-collector", 8889): "may wait a while for a collector that was made anew",
    Flow("payment-path", "load-balancer", 8080): "pays every five minutes",
    Flow("smoke", "load-balancer", 8080): "pays in an upgrade",
    Flow("preflight", "postgres", 5432): "looks before an upgrade",
    Flow("preflight", "redis", 6379): "looks before an upgrade",
    Flow("preflight", "kafka", 9092): "looks before an upgrade",
    Flow("kyc-service", "kafka", 9092): "says when a customer changes; none does",
    Flow("account-service", "partner-bank-api", 3011): "compares settled holds now and then",
}


def off_us(client: Client) -> None:
    """A payment to another bank."""
    body = {
        "amount": 10_00,
        "currency": "USD",
        "from_account": "ACC001",
        "to_account": "99887766",
        "to_routing_number": "021000021",
        "to_name": "Greta Lindqvist",
    }
    created = client.post("/v1/payments", body)
    assert created.status == 201, created
    confirmed = client.post(f"/v1/payments/{created.body['id']}/confirm")
    assert confirmed.status == 200, confirmed


def another_list(cluster: Cluster, auditor: Client) -> None:
    """One more invented entry on the sanctions list: all customers are screened against it."""
    load = (
        "import pathlib, shutil, sys, tempfile\n"
        "from payments.ofac import load, sample\n"
        "folder = pathlib.Path(tempfile.mkdtemp())\n"
        "for file in pathlib.Path(sample.__file__).parent.glob('*.csv'): shutil.copy(file, folder)\n"
        "with open(folder / 'sdn.csv', 'a') as entries: entries.write(sys.argv[1])\n"
        "sys.argv[1:] = [str(folder), '--by', 'test']\n"
        "sys.exit(load.main())\n"
    )
    entry = f'900999,"INVENTED {secrets.token_hex(8)}","vessel","SAMPLE-ALPHA"' + ",-0- " * 8 + "\r\n"
    told = cluster.kubectl("-n", NAMESPACE, "exec", "deploy/ofac-service", "--", "python3", "-c", load, entry)
    number = told.partition("list ")[2].partition(" ")[0]
    path, end = f"/v1/screening/rescreenings/{number}", time.monotonic() + 60
    while (found := auditor.get(path)).body.get("state") != "done":
        assert time.monotonic() < end, found
        time.sleep(0.5)
    assert found.body["screened"] >= 3


def test_connections_seen_are_allowed_and_allowed_ones_are_seen(
    cluster: Cluster, demo: Client, url: str
) -> None:
    flows: set[Flow] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            flows.update(seen(cluster, NAMESPACE))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        Demo(cluster, url, NAMESPACE).tell()
        off_us(demo)
        demo.get("/v1/accounts")
        auditor = Client(url)
        auditor.login("auditor", "password123")
        for path in ("/v1/audit/events?limit=1", "/v1/screening/list", "/v1/kyc/customers"):
            assert auditor.get(path).status == 200, path
        another_list(cluster, auditor)
        demo.get("/health")
        # Exporters ask their servers only when they are asked, every 15 s.
        permitted = allowed(cluster, NAMESPACE, PORTS)
        end = time.monotonic() + 60
        while permitted - flows - JUSTIFIED.keys() and time.monotonic() < end:
            time.sleep(1)
    finally:
        done.set()
        watcher.join(120)
    assert flows - permitted == set(), "connections that the policies forbid"
    assert len(flows) >= 20
    unseen = permitted - flows - JUSTIFIED.keys()
    assert unseen == set(), "allowed, but never used"


def test_an_address_that_no_service_has_is_refused_on_the_node(cluster: Cluster) -> None:
    """kube-proxy may be seconds late with a new Service; nobody outside may answer in its place."""
    taken = {item["spec"]["clusterIP"] for item in cluster.get("services", "-A")["items"]}
    free = next(address for i in range(250, 0, -1) if (address := f"10.96.255.{i}") not in taken)
    attempt = (
        "import socket\n"
        f"try: socket.create_connection(('{free}', 3010), 3)\n"
        "except OSError as error: print(type(error).__name__)\n"
        "else: print('connected')\n"
    )
    answer = cluster.kubectl("-n", NAMESPACE, "exec", "deploy/risk-service", "--", "python3", "-c", attempt)
    assert answer.strip() == "ConnectionRefusedError"
