"""Rendering: helm runs for new inputs only; its refusals are told in its words."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from payment_operator.errors import RenderFailed, RenderTimeout
from payment_operator.manifest import manifest
from payment_operator.render import ClusterVersion, Renderer, Request, find_helm, run_helm
from tests.unit.operator.builders import OWNER, document

V134 = ClusterVersion("v1.34.0", ("v1", "apps/v1"))


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A folder that looks like a chart."""
    (tmp_path / "Chart.yaml").write_text("version: 0.1.0\n")
    return tmp_path


class Helm:
    """Counts its runs and answers two documents."""

    def __init__(self) -> None:
        self.runs: list[tuple[Sequence[str], str]] = []

    def __call__(self, command: Sequence[str], stdin: str, timeout: float) -> str:
        assert timeout == 5.0
        self.runs.append((command, stdin))
        documents = (
            "# nothing",
            "kind: ConfigMap\nmetadata: {name: a}",
            "kind: Service\nmetadata: {name: b}",
        )
        return "".join(f"---\n{text}\n" for text in documents)


def request(values: dict[str, Any] | None = None, **other: Any) -> Request:
    return replace(Request("p", "n", values or {}, V134), **other)


def test_the_same_inputs_run_helm_once(chart: Path) -> None:
    helm = Helm()
    renderer = Renderer(chart, helm="helm", timeout=5.0, run=helm)
    first = renderer.render(request({"a": 1, "b": 2}))
    assert [item["kind"] for item in first] == ["ConfigMap", "Service"]
    assert renderer.render(request({"b": 2, "a": 1})) == first
    assert len(helm.runs) == 1
    command, stdin = helm.runs[0]
    assert "--no-hooks" in command
    assert list(command[command.index("--kube-version") :][:2]) == ["--kube-version", "v1.34.0"]
    assert command.count("--api-versions") == 2
    assert stdin == '{"a": 1, "b": 2}'


@pytest.mark.parametrize(
    "other",
    [
        {"values": {"profile": "dev"}},
        {"release": "q"},
        {"namespace": "m"},
        {"cluster": ClusterVersion("v1.33.0", V134.apis)},
        {"cluster": ClusterVersion("v1.34.0", ("v1",))},
    ],
)
def test_any_other_input_runs_helm_again(chart: Path, other: dict[str, Any]) -> None:
    helm = Helm()
    renderer = Renderer(chart, helm="helm", timeout=5.0, run=helm)
    renderer.render(request())
    renderer.render(request(**other))
    assert len(helm.runs) == 2


def test_what_is_handed_out_is_not_the_cache(chart: Path) -> None:
    renderer = Renderer(chart, helm="helm", timeout=5.0, run=Helm())
    renderer.render(request())[0]["metadata"]["name"] = "changed"
    assert renderer.render(request())[0]["metadata"]["name"] == "a"


def test_a_refusal_is_not_kept(chart: Path) -> None:
    helm, answers = Helm(), iter([RenderFailed("no"), None])

    def run(command: Sequence[str], stdin: str, timeout: float) -> str:
        if error := next(answers):
            raise error
        return helm(command, stdin, timeout)

    renderer = Renderer(chart, helm="helm", timeout=5.0, run=run)
    with pytest.raises(RenderFailed):
        renderer.render(request())
    assert renderer.render(request())


def test_helms_own_words_are_passed_on() -> None:
    script = "echo 'WARNING: x' >&2; echo 'Error: execution error: demo.enabled: must be false' >&2; exit 1"
    with pytest.raises(RenderFailed, match="refuses the spec: execution error: demo.enabled: must be false$"):
        run_helm(["/bin/sh", "-c", script], "", 5.0)


def test_a_hanging_helm_is_ended_and_not_final() -> None:
    with pytest.raises(RenderTimeout) as raised:
        run_helm(["/bin/sleep", "30"], "", 0.1)
    assert not raised.value.final


def test_a_missing_helm_is_told_at_the_start() -> None:
    with pytest.raises(FileNotFoundError, match="PAYMENT_OPERATOR_HELM"):
        find_helm("no-such-helm")


def test_a_manifest_is_the_owners_and_hashed_by_its_content() -> None:
    item = manifest(document("Service", "a", 3, spec={"x": 1}), OWNER)
    metadata = item.body["metadata"]
    assert (item.wave, metadata["namespace"], metadata["ownerReferences"]) == (3, "shop", [OWNER.reference()])
    assert metadata["annotations"]["paymentplatform.dev/hash"] == item.hash
    assert manifest(document("Service", "a", 3, spec={"x": 1}), OWNER).hash == item.hash
    assert manifest(document("Service", "a", 3, spec={"x": 2}), OWNER).hash != item.hash
