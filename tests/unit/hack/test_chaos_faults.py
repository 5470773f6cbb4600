"""What the experiments read from a node."""

from tests.support.chaos.faults import ports

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001        0 1 1
   1: 0A01F40A:C001 0100600A:01BB 01 00000000:00000000 00:00000000 00000000 10001        0 2 1
   2: 0A01F40A:C002 0100600A:01BB 06 00000000:00000000 00:00000000 00000000     0        0 3 1
   3: 0A01F40A:C003 0A00600A:2382 01 00000000:00000000 00:00000000 00000000 10001        0 4 1
"""


def test_ports_of_open_connections_to_the_api_server() -> None:
    assert ports(TABLE) == [0xC001]
