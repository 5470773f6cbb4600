"""One look at a namespace and all that follows from it; as often as anybody likes, to the same result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from payment_operator import metrics, traces
from payment_operator.announce import Notice, notices
from payment_operator.apply import Writer
from payment_operator.backup import job_now
from payment_operator.backup_status import CRON_JOB
from payment_operator.cluster import Cluster
from payment_operator.director import Director
from payment_operator.errors import ApiError, OperatorError, QuotaExceeded
from payment_operator.kinds import BY_KIND, PLATFORM, Ref
from payment_operator.manifest import Object, Owner
from payment_operator.observe import observe
from payment_operator.pace import again
from payment_operator.payment_path import last_payment
from payment_operator.platform_metrics import SHOWN
from payment_operator.preview import preview
from payment_operator.requests import requests_of
from payment_operator.shared import Shared, check_platforms, check_quota, merged
from payment_operator.sizes import size_notices
from payment_operator.status import changed, conflict, status_of
from payment_operator.turns import turns
from payment_operator.upgrade import from_status
from payment_operator.values import parse
from payment_operator.view import View
from payment_operator.wedged import told


class Reconciler:
    """Keeps platforms as declared. ``reconcile`` blocks; different namespaces may run at once."""

    def __init__(
        self,
        cluster: Cluster,
        director: Director,
        now: Callable[[], datetime],
        shared: Callable[[], Shared] = Shared,
        namespaces: Sequence[str] = (),
    ) -> None:
        """``namespaces`` are those that the operator looks after; none: all of the cluster."""
        self._cluster = cluster
        self._director = director
        self._now = now
        self._shared = shared
        self._namespaces = namespaces

    def reconcile(self, namespace: str) -> float | None:
        """Returns after how many seconds to look again, None for the next full pass. Raises ApiError."""
        found = self._cluster.list(PLATFORM, namespace)
        platforms = [item for item in found if "deletionTimestamp" not in item["metadata"]]
        platforms.sort(key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]))
        SHOWN.keep(namespace, [item["metadata"]["name"] for item in platforms])
        for younger in platforms[1:]:
            view = self._blank(younger)
            self._write(younger, conflict(view, platforms[0]["metadata"]["name"]), view)
        return self._keep(platforms[0]) if platforms else None

    def _keep(self, platform: Object) -> float | None:
        view = self._blank(platform)
        if not view.previous:
            self._write(platform, status_of(view), view)
        metadata = platform["metadata"]
        owner = Owner(metadata["name"], metadata["namespace"], metadata["uid"])
        try:
            shared = self._shared()
            spec = parse(merged(shared.spec, platform["spec"]))
            view = replace(view, spec=spec)
            self._admit(shared, platform, view, owner)
            view = replace(self._director.look(view, spec, owner), secrets_found=True)
            check_quota(shared, (item.body for item in view.desired), view.observed.live.values())
            if view.upgrade != from_status(view.previous):
                # On record before anything of it is done, for whoever has to go on with it.
                self._write(platform, status_of(view), view)
            view = self._act(view)
            self._restart(platform, view)
        except OperatorError as problem:
            view = replace(view, problem=problem, observed=observe(self._cluster, owner, ()))
            self._write(platform, status_of(view), view)
            if isinstance(problem, ApiError):
                raise
        else:
            self._write(platform, status_of(view), view)
        return again(view)

    def _admit(self, shared: Shared, platform: Object, view: View, owner: Owner) -> None:
        """Whether there may be this one, too. What has begun to be installed is never stopped."""
        if shared.platforms is None or view.installed:
            return
        places = self._namespaces or (None,)
        found = [item for place in places for item in self._cluster.list(PLATFORM, place)]
        try:
            check_platforms(shared, platform, found)
        except QuotaExceeded:
            if not observe(self._cluster, owner, ()).live:
                raise

    def _act(self, view: View) -> View:
        """The plan, done or only shown; what the API server refused is noted."""
        if view.requests.dry_run:
            return replace(view, preview=preview(self._cluster, view))
        if view.paused:
            return view
        writer = Writer(self._cluster, view.namespace)
        live = view.observed.live
        refused = writer.apply_all(turns(view.plan.apply, live), live)
        for ref in view.plan.prune:
            writer.delete(ref, view.observed.live[ref])
        return replace(view, refused=refused, backup_served=self._back_up(view, writer))

    def _back_up(self, view: View, writer: Writer) -> str:
        """Make the Job of a request that was not served yet; the request that is served now."""
        request, served = view.requests.backup, (view.previous.get("backup") or {}).get("request", "")
        cron_job = view.observed.live.get(CRON_JOB)
        if request in ("", served) or cron_job is None:
            return str(served)
        writer.create(BY_KIND["Job"], job_now(cron_job, request))
        return request

    def _restart(self, platform: Object, view: View) -> None:
        """What hangs though its probes are green."""
        writer = Writer(self._cluster, view.namespace)
        for verdict in view.hanging:
            if verdict.due:
                writer.restart(view.observed.live[Ref("Deployment", verdict.name)], verdict)
                writer.announce(platform, Notice("Warning", "ServiceRestarted", told(verdict)), self._now())

    def _blank(self, platform: Object) -> View:
        metadata, status = platform["metadata"], platform.get("status") or {}
        view = View(metadata["namespace"], metadata["generation"], self._now(), status, "")
        return replace(view, requests=requests_of(platform))

    def _write(self, platform: Object, status: Object, view: View) -> None:
        """The status, when it says something new; its news as Events; what it says, on /metrics."""
        metadata, before = platform["metadata"], platform.get("status") or {}
        traces.note(status["conditions"])
        SHOWN.show(
            metadata["namespace"], metadata["name"], status, view.rotations, last_payment(view.observed.pods)
        )
        if last := (status.get("backup") or {}).get("lastSuccessful"):
            name = metadata["namespace"], metadata["name"]
            metrics.BACKUP_TIME.labels(*name).set(datetime.fromisoformat(last).timestamp())
        if changed(status, before):
            writer = Writer(self._cluster, metadata["namespace"])
            writer.apply_status(metadata["name"], metadata["uid"], status)
            platform["status"] = status
            for notice in (*notices(before, status), *size_notices(before, status)):
                writer.announce(platform, notice, self._now())
