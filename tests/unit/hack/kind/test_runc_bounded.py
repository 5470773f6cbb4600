import copy
import json
from pathlib import Path

import pytest

from hack.kind.runc_bounded import CAPABILITIES, bounding_set, cut, missing, option, rewrite

ALL = (1 << 41) - 1
LAST = 40


def test_bounding_set_is_read_from_the_status() -> None:
    status = "Name:\tpython3\nCapPrm:\t000001ffffffffff\nCapBnd:\t000001fffeffffff\nCapAmb:\t0\n"
    assert bounding_set(status) == 0x1FFFEFFFFFF


def test_status_without_bounding_set_is_an_error() -> None:
    with pytest.raises(ValueError, match="CapBnd"):
        bounding_set("Name:\tx\n")


def test_capability_numbers_are_the_kernels() -> None:
    # include/uapi/linux/capability.h
    numbers = {
        "CHOWN": 0,
        "NET_ADMIN": 12,
        "SYS_ADMIN": 21,
        "SYS_RESOURCE": 24,
        "SETFCAP": 31,
        "AUDIT_READ": 37,
    }
    assert {name: CAPABILITIES.index(name) for name in numbers} == numbers
    assert CAPABILITIES[40] == "CHECKPOINT_RESTORE"


def test_full_set_lacks_nothing() -> None:
    assert missing(ALL, LAST) == set()


def test_bit_24_is_sys_resource() -> None:
    assert missing(0x1FFFEFFFFFF, LAST) == {"CAP_SYS_RESOURCE"}


def test_capabilities_that_an_older_kernel_does_not_know_are_not_missing() -> None:
    assert missing((1 << 38) - 1, 37) == set()


def test_cut_takes_out_only_what_lacks() -> None:
    process = {
        "args": ["sh"],
        "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "ambient": ["CAP_KILL"]},
    }
    assert cut(process, {"CAP_SYS_RESOURCE"})
    assert process == {"args": ["sh"], "capabilities": {"bounding": ["CAP_CHOWN"], "ambient": ["CAP_KILL"]}}


@pytest.mark.parametrize(
    "process", [{"args": ["sh"]}, {"capabilities": None}, {"capabilities": {"bounding": ["CAP_KILL"]}}]
)
def test_cut_leaves_others_as_they_are(process: dict[str, object]) -> None:
    before = copy.deepcopy(process)
    assert not cut(process, {"CAP_SYS_RESOURCE"})
    assert process == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--log", "/l", "create", "--bundle", "/b", "id"], "/b"),
        (["create", "--bundle=/b", "id"], "/b"),
        (["run", "-b", "/b", "id"], "/b"),
        (["create", "id"], None),
        (["create", "--bundle"], None),
    ],
)
def test_option_in_each_form(arguments: list[str], expected: str | None) -> None:
    assert option(arguments, "--bundle", "-b") == expected


def test_rewrite_of_a_bundle_and_of_a_process_file(tmp_path: Path) -> None:
    process = {"capabilities": {"bounding": ["CAP_SYS_RESOURCE", "CAP_KILL"]}}
    bundle, executed = tmp_path / "config.json", tmp_path / "process.json"
    bundle.write_text(json.dumps({"ociVersion": "1.0.2", "process": process}))
    executed.write_text(json.dumps(process))
    rewrite(bundle, {"CAP_SYS_RESOURCE"}, bundle=True)
    rewrite(executed, {"CAP_SYS_RESOURCE"}, bundle=False)
    kept = {"capabilities": {"bounding": ["CAP_KILL"]}}
    assert json.loads(bundle.read_text()) == {"ociVersion": "1.0.2", "process": kept}
    assert json.loads(executed.read_text()) == kept
