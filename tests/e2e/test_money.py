"""After all that the other tests have done to it, the sample platform's money is right."""

from hack.demo import Demo
from hack.kubectl import Cluster
from hack.up import NAMESPACE
from hack.verify_money import in_cluster


def test_no_money_is_lost_or_doubled(cluster: Cluster, url: str) -> None:
    Demo(cluster, url, NAMESPACE).tell()
    code, output = in_cluster(cluster, NAMESPACE, ["python3", "-m", "payments.verification", "money"], 300)
    assert code == 0, output
    assert "money: nothing is wrong" in output


def test_the_schedule_makes_a_result(cluster: Cluster) -> None:
    """A Job of the CronJob's own command notes its result, whatever it is."""
    command = ["python3", "-m", "payments.verification", "run"]
    code, output = in_cluster(cluster, NAMESPACE, command, 300)
    (noted,) = cluster.sql(NAMESPACE, "SELECT ok FROM verification.runs ORDER BY id DESC LIMIT 1")
    assert (code, noted) in ((0, ["t"]), (1, ["f"])), output
    assert code == 0, output
