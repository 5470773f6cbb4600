"""kubectl pp: the tree, what is not well, how commands end; kubectl is a script that answers from files."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kubectl_pp import actions, backups
from kubectl_pp.__main__ import main
from kubectl_pp.kube import Failed
from kubectl_pp.tree import tree, unhealthy

KUBECTL = """#!/usr/bin/env python3
import pathlib, sys
folder = pathlib.Path(__file__).parent
arguments = [item for item in sys.argv[1:]]
with (folder / "calls").open("a") as calls:
    print(" ".join(arguments), file=calls)
for path in sorted(folder.glob("*.answer")):
    words, _, answer = path.read_text().partition("\\n")
    if words in " ".join(arguments):
        print(answer)
        sys.exit(0)
print("Error from server (NotFound)", file=sys.stderr)
sys.exit(1)
"""


def condition(kind: str, status: str, reason: str, message: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def platform(*conditions: dict[str, str]) -> dict[str, Any]:
    return {
        "metadata": {"name": "payments", "namespace": "shop"},
        "spec": {"profile": "dev"},
        "status": {"version": "0.1.0", "services": {"ready": "0/1"}, "conditions": list(conditions)},
    }


READY = condition("Ready", "True", "Ready")
SICK = condition("Degraded", "True", "PodsFailing", "pod x: CrashLoopBackOff: see kubectl describe pod x")


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose `N.answer` files hold what kubectl is asked for, and below it the answer."""
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def answer(folder: Path, words: str, content: Any) -> None:
    number = len(list(folder.glob("*.answer")))
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / f"{number}.answer").write_text(f"{words}\n{text}")


def test_the_tree_shows_what_is_not_well_and_why() -> None:
    deployment = {
        "kind": "Deployment",
        "metadata": {"name": "risk-service"},
        "spec": {"replicas": 2},
        "status": {"readyReplicas": 1},
    }
    pod = {
        "metadata": {"labels": {"app.kubernetes.io/name": "risk-service"}},
        "status": {
            "containerStatuses": [
                {"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
            ]
        },
    }
    lines = list(tree(platform(READY, SICK), [deployment], [pod]))
    assert lines == [
        "PaymentPlatform shop/payments  profile dev, version 0.1.0",
        "├─ conditions",
        "│  ├─ ✓ Ready: Ready",
        "│  └─ ✗ Degraded: PodsFailing: pod x: CrashLoopBackOff: see kubectl describe pod x",
        "├─ dependencies",
        "│  └─ external",
        "└─ services 0/1",
        "   └─ ✗ risk-service 1/2  (CrashLoopBackOff, 4 restarts)",
    ]


def test_what_goes_its_way_or_is_unknown_is_not_unhealthy() -> None:
    going = condition("Progressing", "True", "RollingOut")
    unknown = condition("PaymentPathReady", "Unknown", "Disabled")
    assert unhealthy(platform(READY, going, unknown, SICK)) == [SICK]


def test_why_names_cause_and_fix_and_fails(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(kubectl, "get paymentplatforms", {"items": [platform(READY, SICK)]})
    assert main(["-n", "shop", "why"]) == 1
    assert "PodsFailing" in capsys.readouterr().out
    assert (kubectl / "calls").read_text().startswith("--namespace shop get paymentplatforms")


def test_several_platforms_must_be_told_apart(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(kubectl, "get paymentplatforms", {"items": [platform(READY), platform(READY)]})
    assert main(["status"]) == 2
    assert "name it: payments, payments" in capsys.readouterr().err


def test_kubectls_own_words_are_told(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "missing"]) == 2
    assert "Error from server (NotFound)" in capsys.readouterr().err
    assert "missing" in (kubectl / "calls").read_text()


def test_a_plan_is_asked_for_and_the_request_taken_back(
    kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = platform(READY, condition("Progressing", "False", "DryRun"))
    shown["status"]["plan"] = [
        {"action": "Update", "object": "Deployment/api-gateway", "changes": ["spec.replicas: 1 → 3"]}
    ]
    answer(kubectl, "annotate", "annotated")
    answer(kubectl, "get paymentplatforms", shown)
    assert main(["plan", "payments"]) == 0
    assert capsys.readouterr().out == "update   Deployment/api-gateway\n           spec.replicas: 1 → 3\n"
    calls = (kubectl / "calls").read_text().splitlines()
    assert "paymentplatform.dev/dry-run=true" in calls[1]
    assert calls[-1].endswith("paymentplatform.dev/dry-run-")


def test_an_empty_plan_says_so() -> None:
    assert list(actions.told([])) == ["nothing: everything is as declared"]


def test_the_verification_ends_as_its_job(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(kubectl, "get paymentplatforms", {"items": [platform(READY)]})
    answer(kubectl, "create job", "created")
    answer(kubectl, "get job", {"status": {"conditions": [{"type": "Failed", "status": "True"}]}})
    answer(kubectl, "logs job/", "money: 1 mismatch")
    answer(kubectl, "delete job", "deleted")
    assert main(["verify"]) == 1
    assert "money: 1 mismatch" in capsys.readouterr().out


def test_lines_about_a_payment_come_in_order_of_time(
    kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        json.dumps({"timestamp": stamp, "payment_id": payment})
        for stamp, payment in (
            ("2026-01-01T00:00:02Z", "a"),
            ("2026-01-01T00:00:01Z", "a"),
            ("2026", "other"),
        )
    ]
    answer(kubectl, "get paymentplatforms", {"items": [platform(READY)]})
    answer(kubectl, "logs --selector", "\n".join([*lines, "no json, about a payment"]))
    assert main(["logs", "--payment", '"payment_id": "a"']) == 0
    assert capsys.readouterr().out.splitlines() == [lines[1], lines[0]]


BUCKET = {"bucket": "books", "prefix": "shop", "credentialsSecretRef": {"name": "keys"}}


def with_backups(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    found = platform(READY, condition("BackupsCurrent", "True", "Current"))
    found["spec"] |= {"backup": {"enabled": True, "storage": {"s3": BUCKET}}} | spec
    found["status"]["backup"] = status
    return found | {"apiVersion": "paymentplatform.dev/v1alpha1", "kind": "PaymentPlatform"}


class Answers:
    """A Kube that notes what it is told, and shows one platform after the other, the last one for ever."""

    context = ""

    def __init__(self, *platforms: dict[str, Any]) -> None:
        self.platforms, self.calls, self.request = list(platforms), list[str](), ""

    def run(self, *arguments: str) -> str:
        self.calls.append(" ".join(arguments))
        self.request = next(item.partition("=")[2] for item in arguments if "/backup=" in item)
        return ""

    def platform(self, _: str) -> dict[str, Any]:
        shown = self.platforms.pop(0) if len(self.platforms) > 1 else self.platforms[0]
        served = {"request": self.request} if shown["status"]["backup"].pop("served", True) else {}
        shown["status"]["backup"] |= served
        return shown


def backed_up(*told: dict[str, Any]) -> str:
    kube = Answers(*(with_backups(status) for status in told))
    before = with_backups({"lastName": "one", "request": "now-1"})
    return backups.back_up(kube, before, timeout=2, sleep=lambda _: None)  # type: ignore[arg-type]


def test_a_backup_is_waited_for_and_named() -> None:
    waiting = {"served": False, "lastName": "one", "request": "now-1"}
    assert backed_up(waiting, {"lastName": "one"}, {"lastName": "two"}) == "two"


def test_a_backup_that_fails_says_why() -> None:
    failure = {"time": "2026-01-01T00:00:00Z", "job": "backup-now-1", "message": "not reached: bucket"}
    with pytest.raises(Failed, match="job/backup-now-1 failed: not reached: bucket"):
        backed_up({"lastName": "one"}, {"lastName": "one", "lastFailure": failure})


def test_a_backup_that_nobody_makes_is_not_waited_for_without_end() -> None:
    with pytest.raises(Failed, match="no backup within"):
        kube = Answers(with_backups({"lastName": "one"}))
        backups.back_up(kube, with_backups({"lastName": "one"}), timeout=0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (platform(READY, condition("BackupsCurrent", "Unknown", "Disabled")), "set spec.backup.enabled"),
        (with_backups({}, paused=True), "set spec.paused to false"),
    ],
)
def test_no_backup_is_asked_for_where_none_are_made(
    asked: dict[str, Any], words: str, kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(kubectl, "get paymentplatforms", {"items": [asked]})
    assert main(["backup"]) == 2
    assert words in capsys.readouterr().err
    assert "annotate" not in (kubectl / "calls").read_text()


def test_a_platform_from_a_backup_takes_nothing_that_is_another_ones(
    kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    origin = with_backups(
        {},
        loadBalancer={"type": "NodePort", "nodePort": 30080, "ingress": {"host": "pay.example.com"}},
        postgres={"nodePort": 30432},
        paused=True,
    )
    answer(kubectl, "get paymentplatforms", {"items": [origin]})
    assert main(["restore", "--to", "drill", "--print"]) == 2
    assert "name another host by --host" in capsys.readouterr().err
    assert main(["restore", "--to", "drill", "--print", "--host", "drill.example.com"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["metadata"] == {"name": "payments", "namespace": "drill"}
    assert made["spec"] == {
        "profile": "dev",
        "loadBalancer": {"type": "NodePort", "ingress": {"host": "drill.example.com"}},
        "postgres": {},
        "backup": {"enabled": True, "storage": {"s3": BUCKET | {"prefix": "shop/drill"}}},
        "restoreFrom": {"name": "latest", "s3": BUCKET},
    }


def test_a_platform_of_a_moment_names_it_in_utc(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(kubectl, "get paymentplatforms", {"items": [with_backups({})]})
    asked = ["restore", "--to", "drill", "--print", "--to-time"]
    assert main([*asked, "2026-11-23T14:05:00.25+01:00"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["spec"]["restoreFrom"] == {"targetTime": "2026-11-23T13:05:00.250000Z", "s3": BUCKET}
    for text in ("2026-11-23T14:05:00", "yesterday"):
        assert main([*asked, text]) == 2
        assert "is no moment: write date, time and zone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spec", "words"),
    [({"backup": {"enabled": True}}, "in a volume"), ({"postgres": {"mode": "External"}}, "External")],
)
def test_what_cannot_be_restored_elsewhere_is_refused(spec: dict[str, Any], words: str) -> None:
    with pytest.raises(Failed, match=words):
        backups.copy_of(with_backups({}, **spec), {"name": "latest"}, "drill", "payments", "")


def test_a_restore_brings_the_bucket_s_keys_and_ends_when_it_is_ready(
    kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    restored = with_backups({})
    restored["status"] |= {
        "conditions": [condition("Restored", "True", "Restored"), READY],
        "restore": {"name": "20260101t000000z"},
    }
    answer(kubectl, "get paymentplatforms.paymentplatform.dev --output", {"items": [with_backups({})]})
    answer(kubectl, "get secret keys --ignore-not-found", "")
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"access-key-id": "eA=="}}
    answer(kubectl, "get secret keys --output json", secret)
    answer(kubectl, "create --filename -", "created")
    answer(kubectl, "get paymentplatforms.paymentplatform.dev drill", restored)
    assert main(["restore", "--to", "drill", "--name", "drill"]) == 0
    assert "drill/drill is ready, restored from 20260101t000000z" in capsys.readouterr().out
    calls = (kubectl / "calls").read_text().splitlines()
    assert calls.count("--namespace drill create --filename -") == 2
