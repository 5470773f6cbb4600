"""The backup before an upgrade, by the Job of the CronJob ``backup``."""

from __future__ import annotations

from payment_operator.apply import Writer
from payment_operator.backup import job_name, job_now, runs
from payment_operator.backup_status import CRON_JOB
from payment_operator.cluster import Cluster
from payment_operator.kinds import BY_KIND
from payment_operator.manifest import Owner
from payment_operator.outcome import NONE
from payment_operator.upgrade import WAITING, Outcome, Upgrade
from payment_operator.view import View


class Snapshots:
    """Asked again until the snapshot is done or failed; none is taken where backups are switched off."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __call__(self, owner: Owner, view: View, upgrade: Upgrade) -> Outcome:
        """How the snapshot of this attempt goes; begun when it was not. Raises ApiError."""
        cron_job = view.observed.live.get(CRON_JOB)
        if cron_job is None:
            return NONE
        request = f"before {upgrade.to}, {upgrade.started_at.isoformat()}, attempt {upgrade.attempts}"
        name = job_name(request)
        for run in runs(view.observed.runs, view.observed.pods):
            if run.job != name:
                continue
            if run.failure:
                look = f"kubectl -n {owner.namespace} logs job/{name} --all-containers"
                return Outcome("failed", f"the backup before it failed: {run.failure}: see {look}")
            return Outcome("done", "", note=run.name or name)
        if all(item["metadata"]["name"] != name for item in view.observed.runs) and not view.paused:
            Writer(self._cluster, owner.namespace).create(BY_KIND["Job"], job_now(cron_job, request))
        return WAITING
