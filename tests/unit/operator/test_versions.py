"""Which versions are carried, and which may follow which."""

import itertools
import random
from pathlib import Path

import pytest

from payment_operator.errors import UnsupportedJump, UnsupportedVersion
from payment_operator.render import Renderer
from payment_operator.versions import Versions, charts, order

# SemVer 2.0.0 §11, in rising order.
RISING = [
    "0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
    "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0",
]  # fmt: skip


def carried(folder: Path, **versions: str) -> Versions:
    """Versions by name (with _ for the dots) and what they follow."""
    made = []
    for name, follows in versions.items():
        version = name[1:].replace("_", ".")
        chart = folder / version
        chart.mkdir()
        notes = f'annotations:\n  paymentplatform.dev/upgrades-from: "{follows}"\n' if follows else ""
        (chart / "Chart.yaml").write_text(f"version: {version}\n{notes}")
        made.append(Renderer(chart, helm="helm", timeout=1.0))
    return Versions(made, default=made[-1].version)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return carried(tmp_path, v0_1_0="", v0_1_1="", v0_2_0="0.1", v0_3_0="0.2", v1_0_0="0.2, 0.3")


def test_versions_are_ordered_as_semver_says() -> None:
    shuffled = RISING[:]
    random.Random(7).shuffle(shuffled)
    assert sorted(shuffled, key=order) == RISING
    assert order("1.0.0+build.1") == order("1.0.0+other")


def test_exactly_these_jumps_are_allowed(versions: Versions) -> None:
    allowed = set()
    for installed, wanted in itertools.product(versions.names, repeat=2):
        try:
            versions.check(installed, wanted)
        except UnsupportedVersion:
            continue
        if installed != wanted:
            allowed.add(f"{installed} {wanted}")
    assert allowed == {
        "0.1.0 0.1.1", "0.1.0 0.2.0", "0.1.1 0.2.0", "0.2.0 0.3.0", "0.2.0 1.0.0", "0.3.0 1.0.0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("installed", "wanted", "error", "words"),
    [
        ("0.1.0", "9.9.9", UnsupportedVersion, ["spec.version", "carries 0.1.0, 0.1.1, 0.2.0", "install"]),
        (
            "0.2.0",
            "0.1.1",
            UnsupportedJump,
            ["spec.version", "does not go back", "set spec.version to 0.2.0"],
        ),
        ("0.1.0", "1.0.0", UnsupportedJump, ["follows 0.2, 0.3, not 0.1.0", "go by 0.1.1, 0.2.0, 0.3.0"]),
        ("0.1.9", "0.2.0", UnsupportedJump, ["does not carry 0.1.9", "carries 0.1.9 and 0.2.0"]),
    ],
)
def test_a_refusal_names_the_field_and_the_way(
    versions: Versions, installed: str, wanted: str, error: type[Exception], words: list[str]
) -> None:
    with pytest.raises(UnsupportedVersion) as raised:
        versions.check(installed, wanted)
    assert type(raised.value) is error
    assert all(word in str(raised.value) for word in words), raised.value


def test_a_platform_stays_what_it_is_until_its_spec_names_another(versions: Versions) -> None:
    assert versions.wanted(None, None) == "1.0.0"
    assert versions.wanted(None, "0.2.0") == "0.2.0"
    assert versions.wanted("0.3.0", "0.2.0") == "0.3.0"
    assert versions.wanted(None, "0.0.9") == "1.0.0"


def test_the_operators_own_chart_comes_last(tmp_path: Path) -> None:
    own = tmp_path / "own"
    for version in ("0.1.0", "0.2.0"):
        (tmp_path / "versions" / version).mkdir(parents=True)
        (tmp_path / "versions" / version / "Chart.yaml").write_text("version: x\n")
    found = charts(own, tmp_path / "versions")
    assert [item.name for item in found] == ["0.1.0", "0.2.0", "own"]
    assert charts(own, tmp_path / "nothing") == [own]
