"""How the Jobs of a platform go, and what waits. Pure."""

from __future__ import annotations

from typing import Any

from payment_operator.backup import JOB_LABEL, last_words
from payment_operator.backup_status import restore_status
from payment_operator.finding import NOT_LOOKED, Finding
from payment_operator.readiness import broken_pods, complete_job, failed_job
from payment_operator.view import View


def job(view: View, component: str, reason: str, message: str) -> Finding:
    """Of the Jobs of a component: the first that is not done, else True with this reason and message."""
    for ref, live in view.jobs(component):
        look = f"kubectl -n {view.namespace} logs job/{ref.name}"
        if live is None:
            return Finding("False", "Waiting", f"{ref} is not there yet: {waiting(view)}")
        failure = failed_job(live)
        if failure:
            again = (
                f"then delete it to have it tried again: kubectl -n {view.namespace} delete job/{ref.name}"
            )
            return Finding("False", "JobFailed", f"{ref} failed ({failure}): see {look}, {again}")
        if not complete_job(live):
            stuck = broken_pods(_pods_of(view, ref.name), view.now)
            if stuck:
                return Finding(
                    "False", "JobFailing", f"{ref} does not succeed ({min(stuck.values())}): see {look}"
                )
            return Finding("False", "Running", f"{ref} runs: see {look}")
    if not view.desired:
        return NOT_LOOKED
    return Finding("True", reason, message)


def restored(view: View) -> Finding:
    """The condition Restored."""
    if view.spec is None or view.spec.restore_from is None:
        return Finding("Unknown", "NotRequested", "spec.restoreFrom names no backup")
    done = restore_status(view)
    if done is not None:
        return Finding("True", "Restored", f"from backup {done['name']}, its books proven right")
    for component in ("restore", "restore-check"):
        found = job(view, component, "", "")
        if found.status != "True":
            said = [last_words(view.observed.pods, ref.name) for ref, _ in view.jobs(component)]
            why = "".join(f"{words['error']}: " for words in said if "error" in words)
            return found._replace(message=f"payments stay closed: {why}{found.message}")
    return Finding("False", "Running", "payments stay closed until the books are proven right")


def waiting(view: View) -> str:
    """What the plan waits for, shortened."""
    waits = list(view.plan.waits)
    if not waits:
        return "nothing is awaited"
    return "; ".join(waits[:3]) + (f"; and {len(waits) - 3} more" if len(waits) > 3 else "")


def _pods_of(view: View, job: str) -> list[dict[str, Any]]:
    return [pod for pod in view.observed.pods if pod["metadata"].get("labels", {}).get(JOB_LABEL) == job]
