from tests.support.network import accepted, address, initiated, passes, services, tables

TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 00000000:0BBB 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001
   1: 0500F40A:0BBB 0700F40A:9C40 01 00000000:00000000 00:00000000 00000000 10001
   2: 0500F40A:0BBB 0800F40A:9C41 06 00000000:00000000 00:00000000 00000000 10001
   3: 0500F40A:9C42 0900F40A:1538 01 00000000:00000000 00:00000000 00000000 10001
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:1538 00000000000000000000000000000000:0000 0A
   1: 0000000000000000FFFF00000500F40A:1538 0000000000000000FFFF00000A00F40A:9C43 01
"""


def test_accepted_connections_of_the_socket_table() -> None:
    assert address("0100007F") == "127.0.0.1"
    own = "10.244.0.5"
    connections = {(own, 3003, "10.244.0.7"), (own, 3003, "10.244.0.8"), (own, 5432, "10.244.0.10")}
    assert accepted(TABLE) == connections
    assert initiated(TABLE) == {(own, "10.244.0.9", 5432)}
    printed = f"ns net:[1]\n{TABLE}ns net:[2]\n{TABLE.splitlines()[0]}\n"
    assert [accepted(table) for table in tables(printed)] == [connections, set()]


def test_a_service_stands_for_the_workload_behind_it() -> None:
    label = "app.kubernetes.io/name"
    ports = [{"name": "http", "containerPort": 8081}]
    pod = {"metadata": {"labels": {label: "gateway"}}, "spec": {"containers": [{"ports": ports}]}}
    spec = {"clusterIP": "10.96.0.9", "selector": {label: "gateway"}}
    given = [
        {"port": 80, "targetPort": "http"},
        {"port": 90, "targetPort": 8090},
        {"port": 1, "targetPort": "x"},
    ]
    headless = {"clusterIP": "None", "selector": {label: "kafka"}, "ports": [{"port": 9, "targetPort": 9}]}
    found = services([{"spec": spec | {"ports": given}}, {"spec": headless}], [pod])
    assert found == {("10.96.0.9", 80): ("gateway", 8081), ("10.96.0.9", 90): ("gateway", 8090)}


def test_policies_must_let_a_flow_through() -> None:
    deny = {"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}
    rule = {"ports": [{"port": 3003}], "from": [{"podSelector": {"matchLabels": {"name": "gateway"}}}]}
    allow = {
        "spec": {
            "podSelector": {"matchLabels": {"name": "confirm"}},
            "policyTypes": ["Ingress"],
            "ingress": [rule],
        }
    }
    gateway, confirm = {"name": "gateway"}, {"name": "confirm"}
    assert passes([], "ingress", "from", confirm, gateway, 3003)
    assert not passes([deny], "ingress", "from", confirm, gateway, 3003)
    assert passes([deny, allow], "ingress", "from", confirm, gateway, 3003)
    assert not passes([deny, allow], "ingress", "from", confirm, gateway, 3004)
    assert not passes([deny, allow], "ingress", "from", confirm, {"name": "otp"}, 3003)
    assert not passes([deny, allow], "ingress", "from", gateway, confirm, 3003)
