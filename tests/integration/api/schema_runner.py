"""Schemathesis over an OpenAPI document: every operation, good and bad data, every answer checked."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import checks
from schemathesis.config import (
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation.hypothesis.builder import HypothesisTestConfig, HypothesisTestMode, create_test

from tests.integration.api.problems import wrong_with

Operation = schemathesis.schemas.APIOperation
Document = dict[str, Any]
# Every request that goes out gets its headers from here, by operation ("POST /v1/payments").
Headers = Callable[[str], Mapping[str, str]]

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)
# What no schema can foresee: a member that another one asks for, and a whole number written as 1.0.
_UNSAID = (
    b"is required for a payment to another bank",
    b"is needed for the role customer, and for no other",
    b"Expected `int`, got `float`",
    b"Expected `int | null`, got `float`",
    b"must not be a repetition or a row of keys",
    b"is one of those tried first",
    b"must not contain the user name",
    b"must be http:// or https://host",
    b"names no possible host",
    b"must be your own, or left out",
    b"must be the id of the last entry of the page before",
    b"give either customer_id or name",
    b"an allow names the entries that it is about",
    b"a block holds whatever the list says",
    b"the list has no entry",
    b"goes with an approval only",
    b"is in the past",
    b"must be in the future",
    b"has no letters",
)


@dataclass
class Report:
    """What was sent and what was found."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    by_operation: dict[str, Counter[int]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def note(self, label: str, status: int) -> None:
        """Count an answer."""
        self.requests += 1
        self.statuses[status] += 1
        self.by_operation.setdefault(label, Counter())[status] += 1

    def fail(self, label: str, why: str, case: Any, answer: Any) -> None:
        """Keep the first of each kind."""
        kind = f"{label}: {why.splitlines()[0][:160]}"
        if kind not in self.failures:
            curl = case.as_curl_command()[:1500]
            self.failures[kind] = f"{why}\n{curl}\n-> {answer.status_code} {answer.text[:600]}"

    def summary(self) -> str:
        """Counts in a line."""
        return f"{self.requests} requests, {dict(sorted(self.statuses.items()))}"

    def text(self) -> str:
        """All failures."""
        return f"{len(self.failures)} kinds of failures\n\n" + "\n\n".join(
            f"{kind}\n{text}" for kind, text in self.failures.items()
        )


def _unsaid(answer: bytes) -> bool:
    return any(words in answer for words in _UNSAID)


def load(document: Document, base_url: str) -> Any:
    """The document as Schemathesis reads it."""
    generation = GenerationConfig(with_security_parameters=False)
    phases = PhasesConfig()
    project = ProjectConfig(base_url=base_url, generation=generation, phases=phases)
    config = SchemathesisConfig(projects=ProjectsConfig(default=project))
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.validate()
    return schema


def run(
    schema: Any,
    headers: Headers,
    *,
    seed: int,
    examples: int,
    coverage: Callable[[str], bool],
    report: Report,
    only: Callable[[str], bool] = lambda _: True,
    problem_only: bool = False,
) -> Report:
    """Try every operation.

    Args:
        examples: random requests for each operation.
        coverage: for which operations to send further requests, at the edges of their schemas.
        only: which operations.
        problem_only: skip the checks against the document.
    """
    wanted = [] if problem_only else checks.CHECKS.get_by_names(list(_CHECKS))
    session = requests.Session()
    for operation in operations(schema):
        if only(operation.label):
            edges = coverage(operation.label)
            _try(operation, session, headers(operation.label), seed, examples, edges, report, wanted)
    return report


def operations(schema: Any) -> Iterable[Any]:
    """The operations; fails on one that Schemathesis cannot read."""
    for result in schema.get_all_operations():
        yield result.ok()


def _try(
    operation: Any,
    session: requests.Session,
    headers: Mapping[str, str],
    seed: int,
    examples: int,
    coverage: bool,
    report: Report,
    wanted: list[Any],
) -> None:
    label = operation.label

    def test(case: Any) -> None:
        answer = case.call(session=session, headers=dict(headers), timeout=30)
        report.note(label, answer.status_code)
        if answer.status_code >= 500:
            report.fail(label, f"{answer.status_code}", case, answer)
        if answer.status_code >= 400 and answer.request.method != "HEAD":
            lower = {name: values[0] for name, values in answer.headers.items()}
            sent = answer.request.body or b""
            text = sent.decode("utf-8", "replace") if isinstance(sent, bytes) else str(sent)
            why = wrong_with(answer.status_code, lower, answer.content, sent=text)
            if why is not None:
                report.fail(label, f"problem: {why}", case, answer)
            if wanted and case.meta is not None and case.meta.generation.mode.is_positive:
                if b'"code":"validation_failed"' in answer.content and not _unsaid(answer.content):
                    report.fail(label, "what fits the document is not valid", case, answer)
        try:
            if wanted:
                case.validate_response(answer, checks=wanted, headers=dict(headers))
        except FailureGroup as group:
            for failure in group.exceptions:
                report.fail(label, f"{type(failure).__name__}: {failure}", case, answer)
        except Failure as failure:
            report.fail(label, f"{type(failure).__name__}: {failure}", case, answer)

    modes = [HypothesisTestMode.FUZZING] if examples else []
    if coverage:
        modes += [HypothesisTestMode.COVERAGE, HypothesisTestMode.EXAMPLES]
    settings = hypothesis.settings(
        max_examples=max(1, examples),
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    config = HypothesisTestConfig(
        project=operation.schema.config, modes=modes, settings=settings, seed=seed, apply_ci_profile=False
    )
    create_test(operation=operation, test_func=test, config=config)()
