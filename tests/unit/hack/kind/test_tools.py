import dataclasses
import re
import struct
from pathlib import Path

import pytest

from hack.kind import tools, versions
from hack.kind.settings import Cache


def elf(*segment_types: int) -> bytes:
    """A minimal ELF-64 file with these program headers."""
    header = bytearray(64)
    header[:6] = b"\x7fELF\x02\x01"
    struct.pack_into("<Q", header, 0x20, 64)
    struct.pack_into("<HH", header, 0x36, 56, len(segment_types))
    return bytes(header) + b"".join(struct.pack("<I", kind).ljust(56, b"\0") for kind in segment_types)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


@pytest.fixture
def tool() -> tools.Tool:
    return next(tool for tool in tools.CLI if tool.name == "kubectl")


def put(cache: Cache, tool: tools.Tool, content: bytes = b"program") -> None:
    scratch = cache.root / "scratch"
    scratch.write_bytes(content)
    tools.install(cache, tool, scratch, "a test")


def test_installed_binary_is_current(cache: Cache, tool: tools.Tool) -> None:
    assert not tools.is_current(cache, tool)
    put(cache, tool)
    assert tools.is_current(cache, tool)
    assert (cache.bin / tool.name).stat().st_mode & 0o111


def test_another_version_is_not_current(cache: Cache, tool: tools.Tool) -> None:
    put(cache, tool)
    assert not tools.is_current(cache, dataclasses.replace(tool, version="v9.9.9"))
    assert not tools.is_current(cache, dataclasses.replace(tool, ldflags="-s"))


def test_binary_that_somebody_replaced_is_not_current(cache: Cache, tool: tools.Tool) -> None:
    put(cache, tool)
    (cache.bin / tool.name).write_bytes(b"something else")
    assert not tools.is_current(cache, tool)


def test_broken_stamp_or_lost_binary_means_rebuild(cache: Cache, tool: tools.Tool) -> None:
    put(cache, tool)
    stamp = cache.stamps / f"{tool.name}.json"
    for text in ("", "{", "[]"):
        stamp.write_text(text)
        assert not tools.is_current(cache, tool)
    put(cache, tool)
    (cache.bin / tool.name).unlink()
    assert not tools.is_current(cache, tool)


def test_lock_files_are_part_of_the_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: tools.Tool
) -> None:
    before = tools.inputs_hash(tool)
    folder = tmp_path / "kubernetes"
    folder.mkdir()
    for name in ("go.mod", "go.sum"):
        (folder / name).write_bytes((tools.GO_FOLDER / "kubernetes" / name).read_bytes())
    monkeypatch.setattr(tools, "GO_FOLDER", tmp_path)
    assert tools.inputs_hash(tool) == before
    (folder / "go.sum").write_text("changed")
    assert tools.inputs_hash(tool) != before


def test_pins_and_lock_files_agree() -> None:
    kubernetes = (tools.GO_FOLDER / "kubernetes" / "go.mod").read_text()
    staging = versions.KUBERNETES.replace("v1.", "v0.")
    assert f"k8s.io/kubernetes {versions.KUBERNETES} " in kubernetes
    replaced = set(re.findall(r"^\tk8s\.io/\S+ => k8s\.io/\S+ (\S+)$", kubernetes, re.MULTILINE))
    assert replaced == {staging}
    assert f"go.etcd.io/etcd/server/v3 {versions.ETCD} " in (tools.GO_FOLDER / "etcd" / "go.mod").read_text()
    for tool in (*tools.CLI, *tools.NODE):
        if tool.workspace:
            assert re.search(rf"^\t?(tool )?{re.escape(tool.package)}$", lock_of(tool), re.MULTILINE), (
                tool.name
            )


def lock_of(tool: tools.Tool) -> str:
    return (tools.GO_FOLDER / tool.workspace / "go.mod").read_text()


def test_built_kubernetes_knows_its_version(tool: tools.Tool) -> None:
    assert f"-X k8s.io/component-base/version.gitVersion={versions.KUBERNETES}" in tool.ldflags
    assert "-X k8s.io/client-go/pkg/version.gitMinor=34" in tool.ldflags


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("kind", versions.KIND.removeprefix("v"), True),
        ("kind", "0.20.0", False),
        ("kubectl", "Client Version: v1.35.1\nKustomize Version: v5.7.1\n", True),
        ("kubectl", "Client Version: v1.33.9\n", True),
        ("kubectl", "Client Version: v1.32.4\n", False),
        ("kubectl", "Client Version: v1.34.4-dispatcher\n", False),
        ("helm", "v3.22.1+gabcdef0\n", True),
        ("helm", "v3.17.0+gabcdef0\n", False),
        ("helm", "v4.0.0+gabcdef0\n", False),
        ("helm", "", False),
    ],
)
def test_versions_that_can_stand_in(name: str, said: str, expected: bool) -> None:
    assert tools.acceptable(name, said) is expected


def test_static_executables_are_recognised() -> None:
    load, interpreter = 1, 3
    assert tools.is_static_elf(elf(load, load))
    assert not tools.is_static_elf(elf(load, interpreter))
    assert not tools.is_static_elf(elf(load)[:70])
    assert not tools.is_static_elf(b"#!/bin/sh\nexec helm\n")


def test_program_on_path_is_taken_only_when_it_answers_rightly(
    cache: Cache, tool: tools.Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "path"
    folder.mkdir()
    script = folder / tool.name
    script.write_text("#!/bin/sh\necho Client Version: v1.34.4\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    assert tools.find_on_path(cache, tool) is None  # a script is no static program
    monkeypatch.setattr(tools, "is_static_elf", lambda _: True)
    assert tools.find_on_path(cache, tool) == script
    script.write_text("#!/bin/sh\necho Client Version: v1.20.0\n")
    assert tools.find_on_path(cache, tool) is None
