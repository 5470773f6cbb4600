"""All that a status is made from: what was wanted, seen, planned and refused. Data only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from payment_operator.advice import Use
from payment_operator.errors import ApiError, OperatorError
from payment_operator.kinds import COMPONENT_LABEL, Ref
from payment_operator.load import Load
from payment_operator.manifest import Manifest, part_of
from payment_operator.observe import Observed
from payment_operator.plan import Plan
from payment_operator.requests import Requests
from payment_operator.rotate import Standing
from payment_operator.sizes import RECORD, Size, written
from payment_operator.spec import PaymentPlatformSpec
from payment_operator.spec_observability import PARTS
from payment_operator.upgrade import Phase, Upgrade
from payment_operator.wedged import Verdict

Object = Mapping[str, Any]
#: Of the synthetic payments, as in the chart's profiles.
DEFAULT_INTERVAL = "5m"


@dataclass(frozen=True, slots=True)
class View:
    """One look at a platform. What a problem kept from being found is empty.

    ``target`` is the release that the spec names; ``spec``, ``version`` and ``release`` are those that count
    now, which during an upgrade and after one that failed may be the last good ones.
    """

    namespace: str
    generation: int
    now: datetime
    previous: Object
    version: str
    release: str = ""
    target: str = ""
    upgrade: Upgrade | None = None
    requests: Requests = Requests()
    spec: PaymentPlatformSpec | None = None
    secrets_found: bool = False
    rotations: Sequence[Standing] = ()
    desired: Sequence[Manifest] = ()
    backup_served: str = ""
    observed: Observed = field(default_factory=lambda: Observed({}, frozenset(), []))
    plan: Plan = field(default_factory=Plan)
    refused: Mapping[Ref, ApiError] = field(default_factory=dict)
    unreachable: Mapping[str, str] = field(default_factory=dict)
    parts_unreachable: Mapping[str, str] = field(default_factory=dict)
    preview: Sequence[Object] = ()
    load: Load | None = None
    uses: Mapping[str, Use] | None = None
    hanging: Sequence[Verdict] = ()
    sizes: Sequence[Size] | None = None
    problem: OperatorError | None = None

    @property
    def blank(self) -> bool:
        """Whether nothing was looked at yet."""
        return self.spec is None and self.problem is None

    @property
    def installed(self) -> bool:
        """Whether some release was rolled out completely before."""
        return bool(self.previous.get("release"))

    @property
    def paused(self) -> bool:
        """Whether the operator may write nothing but the status."""
        return self.requests.dry_run or bool(self.spec and self.spec.paused)

    @property
    def rolls(self) -> bool:
        """Whether another release is to come in waves; a dry run shows all of them at once."""
        return self.release != self.previous.get("release") and not self.requests.dry_run

    @property
    def upgrading(self) -> bool:
        """Whether an upgrade, or its way back, is under way."""
        return self.upgrade is not None and self.upgrade.under_way

    @property
    def upgraded(self) -> bool:
        """Whether the upgrade to this release has just ended well, or did before."""
        record = self.upgrade
        return record is not None and record.phase is Phase.DONE and record.to == self.release

    @property
    def resizes(self) -> bool:
        """Whether advice is to be applied, or taken back, that the last look knew nothing of."""
        return self.sizes is not None and written(self.sizes) != self.previous.get(RECORD, [])

    @property
    def refused_upgrade(self) -> Upgrade | None:
        """The upgrade that failed, while the spec still names it."""
        record = self.upgrade
        failed = record is not None and record.phase is Phase.ROLLED_BACK and record.to == self.target
        return record if failed else None

    @property
    def synthetic_interval(self) -> str | None:
        """Time between two synthetic payments; None when none are made. As the chart's CronJob has it."""
        wanted = self.spec.health.synthetic_payment if self.spec and self.spec.health else None
        profile = self.spec.profile if self.spec else "production"
        enabled = wanted.enabled if wanted and wanted.enabled is not None else profile != "production"
        return ((wanted.interval if wanted else None) or DEFAULT_INTERVAL) if enabled else None

    @property
    def external(self) -> bool:
        """Whether something that the platform needs runs elsewhere, where no event comes from."""
        if self.spec is None:
            return False
        stack = [getattr(self.spec.observability, name, None) for name in self.parts]
        parts = (self.spec.postgres, self.spec.redis, self.spec.kafka, *stack)
        return any(part is not None and part.mode == "External" for part in parts)

    @property
    def parts(self) -> list[str]:
        """The parts of the observability stack that are switched on."""
        stack = self.spec.observability if self.spec else None
        return [name for name in PARTS if getattr(getattr(stack, name, None), "enabled", False)]

    @property
    def complete(self) -> bool:
        """Whether this release is rolled out completely: all applied, all ready."""
        done = not (self.plan.waits or self.plan.apply or self.plan.conflicts or self.refused)
        return done and bool(self.desired) and self.problem is None and not self.paused

    def deployments(self) -> dict[str, Object | None]:
        """The services' Deployments by name, as wanted; if nothing could be rendered, those there are."""
        wanted = [item.ref for item in self.desired if item.ref.kind == "Deployment" and not item.part]
        refs = wanted or sorted(
            ref for ref, item in self.observed.live.items() if ref.kind == "Deployment" and not part_of(item)
        )
        return {ref.name: self.observed.live.get(ref) for ref in refs}

    def declared(self, kind: str, name: str) -> Object | None:
        """What an object is meant to be; None if nothing could be rendered or nobody wants it."""
        return next((item.body for item in self.desired if item.ref == (kind, name)), None)

    def jobs(self, component: str) -> Iterator[tuple[Ref, Object | None]]:
        """The wanted Jobs of a component, with what is there of them."""
        for item in self.desired:
            labels = item.body["metadata"].get("labels", {})
            if item.ref.kind == "Job" and labels.get(COMPONENT_LABEL) == component:
                yield item.ref, self.observed.live.get(item.ref)
