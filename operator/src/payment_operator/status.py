"""The status of a platform from one look at it: conditions that name cause and fix. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payment_operator.advice import advise
from payment_operator.backup_status import backup_status, backups_finding, restore_status
from payment_operator.conditions import CONDITIONS
from payment_operator.errors import MissingCredentials
from payment_operator.finding import NOT_LOOKED, Finding
from payment_operator.job_findings import job, restored, waiting
from payment_operator.manifest import part_of
from payment_operator.news import failed_restarts, failed_upgrade, moving, payment_path
from payment_operator.readiness import broken_pods, ready_replicas, unready
from payment_operator.requests import DRY_RUN_ANNOTATION
from payment_operator.sizes import RECORD, written
from payment_operator.upgrade import to_status
from payment_operator.values import recorded
from payment_operator.view import View
from payment_operator.watching import observability

#: A payment can be made without this one: its events wait in the outbox.
NOT_ON_PAYMENT_PATH = frozenset({"audit-service"})
MESSAGE_LIMIT = 1000
#: What the last complete rollout left.
_OF_RELEASE = ("version", "release", "lastGood", "upgrade")


def status_of(view: View) -> dict[str, Any]:
    """The whole status. Transition times of conditions that did not change are kept."""
    findings = _findings(view)
    status: dict[str, Any] = {"observedGeneration": view.generation}
    status |= {key: value for key in _OF_RELEASE if (value := view.previous.get(key))}
    if view.spec is not None and (view.upgraded or (view.complete and not view.upgrading)):
        good = recorded(view.version, view.release, view.spec)
        status |= {"version": view.version, "release": view.release, "lastGood": good}
    if view.upgrade is not None:
        status["upgrade"] = to_status(view.upgrade)
    deployments = view.deployments()
    if deployments:
        ready = sum(_available(view, name) for name in deployments)
        status["services"] = {
            "ready": f"{ready}/{len(deployments)}",
            "available": ready,
            "total": len(deployments),
        }
    parts = {"backup": backup_status(view), "restore": restore_status(view)}
    status |= {name: part for name, part in parts.items() if part}
    if view.uses is not None:
        status["advice"] = advise(view.uses, deployments)
    if view.sizes or RECORD in view.previous:
        status[RECORD] = view.previous[RECORD] if view.sizes is None else written(view.sizes)
    if view.requests.dry_run:
        status["plan"] = list(view.preview)
    status["conditions"] = conditions(view, findings)
    return status


def conditions(view: View, findings: Mapping[str, Finding]) -> list[dict[str, Any]]:
    """All conditions, in their order; one without a finding is Unknown."""
    before = {item["type"]: item for item in view.previous.get("conditions", [])}
    now = view.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    result = []
    for kind in CONDITIONS:
        found = findings.get(kind.type, NOT_LOOKED)
        old = before.get(kind.type, {})
        since = old["lastTransitionTime"] if old.get("status") == found.status else now
        result.append(
            {
                "type": kind.type,
                "status": found.status,
                "reason": found.reason,
                "message": found.message[:MESSAGE_LIMIT],
                "observedGeneration": view.generation,
                "lastTransitionTime": since,
            }
        )
    return result


def changed(new: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether the API server's copy must be written."""
    return any(live.get(key) != value for key, value in new.items())


def conflict(view: View, owner: str) -> dict[str, Any]:
    """The status of a second platform in a namespace."""
    text = f"PaymentPlatform {owner} is older and has this namespace: delete one or use another namespace"
    findings = {kind.type: Finding("Unknown", "Conflict", text) for kind in CONDITIONS}
    findings |= {"Ready": Finding("False", "Conflict", text), "Degraded": Finding("True", "Conflict", text)}
    findings["Progressing"] = Finding("False", "Conflict", text)
    return {"observedGeneration": view.generation, "conditions": conditions(view, findings)}


def _findings(view: View) -> dict[str, Finding]:
    if view.blank:
        return {}
    parts = {
        "SecretsReady": _secrets(view),
        "PostgresReady": _dependency(view, "postgres"),
        "RedisReady": _dependency(view, "redis"),
        "KafkaReady": _kafka(view),
        "Restored": restored(view),
        "MigrationsApplied": job(view, "migrations", "Applied", "the schema of this version is there"),
        "ServicesReady": _services(view),
    }
    watching = {"ObservabilityReady": observability(view)}
    return {
        "Ready": _ready(view, parts),
        "Progressing": _progressing(view),
        "Degraded": _degraded(view, parts | watching),
        **parts,
        **watching,
        "KeysRotated": _keys(view),
        "PaymentPathReady": payment_path(view),
        "BackupsCurrent": backups_finding(view, backup_status(view)),
    }


def _secrets(view: View) -> Finding:
    if isinstance(view.problem, MissingCredentials):
        return Finding("False", view.problem.reason, str(view.problem))
    if not view.secrets_found:
        return NOT_LOOKED
    return Finding("True", "Present", "all Secrets and keys are there")


def _keys(view: View) -> Finding:
    if not view.rotations:
        return NOT_LOOKED
    text = "; ".join(f"{item.name}: {item.message}" for item in view.rotations)
    for reason in ("UnknownRequest", "NotSupported", "NotManaged", "Rotating"):
        if any(item.reason == reason for item in view.rotations):
            return Finding("False", reason, text)
    overlapping = any(item.reason == "Overlapping" for item in view.rotations)
    return Finding("True", "Overlapping" if overlapping else "Current", text)


def _dependency(view: View, name: str) -> Finding:
    settings = getattr(view.spec, name, None)
    if settings and settings.mode == "External":
        why = view.unreachable.get(name)
        if why:
            field = f"spec.{name}.external"
            return Finding("False", "Unreachable", f"{why}: check {field} and what stands between")
        return Finding("True", "Reachable", "answers on its port")
    live = next((item for ref, item in view.observed.live.items() if ref == ("StatefulSet", name)), None)
    if live is None and not view.desired:
        return NOT_LOOKED
    if live is None:
        return Finding("False", "Missing", f"StatefulSet/{name} is not there yet")
    ready, wanted = ready_replicas(live, view.declared("StatefulSet", name))
    if ready < wanted // 2 + 1:
        return Finding("False", "NotReady", f"{ready}/{wanted} pods of {name} are ready: {_look(view, name)}")
    if ready < wanted:
        return Finding("True", "Reduced", f"{ready}/{wanted} pods of {name} are ready: {_look(view, name)}")
    return Finding("True", "Ready", f"{ready}/{wanted} pods are ready")


def _kafka(view: View) -> Finding:
    broker = _dependency(view, "kafka")
    topics = job(view, "topics", "Ready", "")
    return broker if broker.status == "False" or topics.status != "False" or view.installed else topics


def _services(view: View) -> Finding:
    deployments = view.deployments()
    if not deployments:
        return NOT_LOOKED
    late = [name for name in deployments if not _available(view, name)]
    if not late:
        return Finding("True", "Ready", f"all {len(deployments)} Deployments are ready")
    missing = [name for name in late if deployments[name] is None]
    if len(missing) == len(deployments):
        return Finding("False", "Waiting", f"no Deployment is there yet: {waiting(view)}")
    return Finding("False", "NotReady", f"not ready: {', '.join(late)}: {_look(view, late[0])}")


def _ready(view: View, parts: Mapping[str, Finding]) -> Finding:
    deployments = view.deployments()
    silent = [
        name
        for name, item in deployments.items()
        if name not in NOT_ON_PAYMENT_PATH and (item is None or ready_replicas(item)[0] == 0)
    ]
    if deployments and not silent and parts["PostgresReady"].status == "True":
        return Finding("True", "Ready", "a payment can be made")
    if view.problem is not None and not view.installed:
        return Finding("False", view.problem.reason, str(view.problem))
    for name, found in parts.items():
        if found.status == "False":
            return Finding("False", _not(name), f"{name}: {found.message}")
    if view.problem is not None:
        return Finding("False", view.problem.reason, str(view.problem))
    return Finding("False", "Installing", waiting(view))


def _progressing(view: View) -> Finding:
    if view.requests.dry_run:
        text = f"annotation {DRY_RUN_ANNOTATION}: {len(view.preview)} objects would change, see .status.plan"
        return Finding("False", "DryRun", text)
    if view.paused:
        text = f"spec.paused is true; {len(view.plan.apply)} changes wait until it is false"
        return Finding("False", "Paused", text)
    if view.upgrade is not None and view.upgrading:
        return moving(view.upgrade, waiting(view) if view.plan.waits else "")
    if view.plan.waits:
        reason = "Upgrading" if view.installed else "Installing"
        return Finding("True", reason, f"wave {view.plan.wave}: {waiting(view)}")
    late = [unready(item) for item in view.observed.live.values() if not part_of(item)]
    rolling = [reason for reason in late if reason and "rolls out" in reason]
    if rolling:
        return Finding("True", "RollingOut", "; ".join(rolling[:3]))
    return Finding("False", "Complete", "as declared")


def _degraded(view: View, parts: Mapping[str, Finding]) -> Finding:
    if view.problem is not None:
        return Finding("True", view.problem.reason, str(view.problem))
    if view.refused_upgrade is not None:
        return failed_upgrade(view, view.refused_upgrade)
    if view.plan.conflicts:
        ref = view.plan.conflicts[0]
        fix = f"kubectl -n {view.namespace} delete {ref.kind.lower()}/{ref.name}"
        names = ", ".join(str(item) for item in view.plan.conflicts[:5])
        text = f"{names} exist and are not this platform's, so they are left alone: move them away ({fix})"
        return Finding("True", "NameTaken", text)
    if view.refused:
        ref, error = next(iter(view.refused.items()))
        return Finding("True", "ApplyFailed", f"the API server refused {ref}: {error}")
    if hanging := [item for item in view.hanging if item.exhausted]:
        return failed_restarts(view, hanging[0])
    if parts["MigrationsApplied"].reason in ("JobFailed", "JobFailing"):
        return Finding("True", "MigrationsFailed", parts["MigrationsApplied"].message)
    if parts["Restored"].reason in ("JobFailed", "JobFailing"):
        return Finding("True", "RestoreFailed", parts["Restored"].message)
    broken = broken_pods(view.observed.pods, view.now)
    if broken:
        pod, cause = next(iter(sorted(broken.items())))
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        look = f"kubectl -n {view.namespace} describe pod {pod}"
        return Finding("True", "PodsFailing", f"pod {pod}{more}: {cause}: see {look}")
    late = [name for name, found in parts.items() if found.status == "False" or found.reason == "Reduced"]
    path = payment_path(view)
    if path.status == "False" and not late and not view.upgrading:
        return Finding("True", "PaymentPathNotReady", path.message)
    if late and view.installed and not view.plan.waits:
        return Finding("True", _not(late[0]), parts[late[0]].message)
    backups = backups_finding(view, backup_status(view))
    if backups.status == "False":
        return Finding("True", backups.reason, backups.message)
    return Finding("False", "AsDeclared", "nothing needs a person")


def _not(condition: str) -> str:
    """PostgresReady → PostgresNotReady."""
    if condition == "Restored":
        return "NotRestored"
    return condition.replace("Ready", "NotReady").replace("Applied", "NotApplied")


def _available(view: View, name: str) -> bool:
    item = view.deployments()[name]
    if item is None:
        return False
    _, wanted = ready_replicas(item, view.declared("Deployment", name))
    return bool(item.get("status", {}).get("availableReplicas", 0) >= wanted)


def _look(view: View, name: str) -> str:
    return f"see kubectl -n {view.namespace} describe pod -l app.kubernetes.io/name={name}"
