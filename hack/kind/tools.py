"""The programs of the cluster, in PAYMENTS_CACHE/bin: from PATH where the version is right, else built.

Each binary is built into scratch space and renamed into place, then stamped with the hash of what it was made
of. So a warm run costs a few stat calls, a killed build resumes at the binary it had reached, and a new pin
rebuilds. `bin/helm` is always statically linked: images copy it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from hack.kind import versions
from hack.kind.locks import locked
from hack.kind.proc import CommandFailed, Failure, run
from hack.kind.settings import Cache
from hack.progress import step

GO_FOLDER = Path(__file__).resolve().parent / "go"
BUILD_SECONDS = 3600.0
DOWNLOAD_SECONDS = 600.0
GO_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-trimpath -buildvcs=false"}


@dataclass(frozen=True)
class Tool:
    """One binary: `package` of the locked module in go/<workspace>, or of its own module at `version`.

    With `module`: `package` (as `./cmd/x`) of that module at `version`, built in the module's own folder, for
    modules whose go.mod replaces others, which `go install` refuses. `tags` and `environment` are for the
    compiler.
    """

    name: str
    package: str
    version: str
    workspace: str = ""
    ldflags: str = "-s -w"
    module: str = ""
    tags: str = ""
    environment: tuple[tuple[str, str], ...] = ()


def _kubernetes_ldflags(version: str) -> str:
    major, minor, _ = version.removeprefix("v").split(".")
    values = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "0" * 40,
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return "-s -w " + " ".join(
        f"-X {package}.{key}={value}" for package in packages for key, value in values.items()
    )


def _kubernetes(name: str) -> Tool:
    package = f"k8s.io/kubernetes/cmd/{name}"
    return Tool(name, package, versions.KUBERNETES, "kubernetes", _kubernetes_ldflags(versions.KUBERNETES))


CLI = (
    Tool("kind", "sigs.k8s.io/kind", versions.KIND),
    _kubernetes("kubectl"),
    Tool(
        "helm",
        "helm.sh/helm/v3/cmd/helm",
        versions.HELM,
        ldflags=f"-s -w -X helm.sh/helm/v3/internal/version.version={versions.HELM}",
    ),
)
# What a node image needs beside the command line tools.
NODE = (
    *(
        _kubernetes(name)
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kube-proxy",
            "kubelet",
            "kubeadm",
        )
    ),
    Tool("etcd", "go.etcd.io/etcd/server/v3", versions.ETCD, "etcd"),
    Tool("coredns", "github.com/coredns/coredns", versions.COREDNS),
    Tool(
        "local-path-provisioner", "github.com/rancher/local-path-provisioner", versions.LOCAL_PATH_PROVISIONER
    ),
)


def inputs_hash(tool: Tool) -> str:
    """Changes whenever the binary would: package, version, flags, lock files, platform."""
    digest = hashlib.sha256()
    parts = [
        tool.name,
        tool.package,
        tool.version,
        tool.ldflags,
        platform.machine(),
        str(sorted(GO_ENVIRONMENT.items())),
    ]
    if tool.module:
        parts += [tool.module, tool.tags, str(sorted(tool.environment))]
    digest.update("\0".join(parts).encode())
    if tool.workspace:
        for lock in ("go.mod", "go.sum"):
            digest.update((GO_FOLDER / tool.workspace / lock).read_bytes())
    return digest.hexdigest()


def is_current(cache: Cache, tool: Tool) -> bool:
    """Whether the binary is there, is the one its stamp describes, and the stamp is of these inputs."""
    try:
        stamp = json.loads((cache.stamps / f"{tool.name}.json").read_text())
        status = (cache.bin / tool.name).stat()
    except (OSError, ValueError):
        return False
    wanted = {"inputs": inputs_hash(tool), "size": status.st_size, "mtime": int(status.st_mtime)}
    return isinstance(stamp, dict) and all(stamp.get(key) == value for key, value in wanted.items())


def install(cache: Cache, tool: Tool, binary: Path, source: str) -> None:
    """Moves a finished binary into the cache, then stamps it; a kill between the two only rebuilds."""
    cache.bin.mkdir(parents=True, exist_ok=True)
    cache.stamps.mkdir(parents=True, exist_ok=True)
    binary.chmod(0o755)
    target = cache.bin / tool.name
    binary.replace(target)
    status = target.stat()
    stamp = {
        "inputs": inputs_hash(tool),
        "size": status.st_size,
        "mtime": int(status.st_mtime),
        "version": tool.version,
        "source": source,
    }
    temporary = cache.stamps / f".{tool.name}.{os.getpid()}"
    temporary.write_text(json.dumps(stamp, indent=1) + "\n")
    temporary.replace(cache.stamps / f"{tool.name}.json")


def ensure(cache: Cache, wanted: tuple[Tool, ...], name: str) -> None:
    """Returns when every wanted binary is in the cache. Raises Failure (no Go, no network) naming the fix."""
    with step(name) as current:
        if all(is_current(cache, tool) for tool in wanted):
            current.done(f"in {cache.bin}")
            return
        # Other programs may be built beside these.
        part = "tools-" + re.sub(r"\W+", "-", name.lower())
        with locked(cache, part):
            absent = [tool for tool in wanted if not is_current(cache, tool)]
            scratch = cache.work / part
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            for number, tool in enumerate(absent, 1):
                if (found := find_on_path(cache, tool)) is not None:
                    current.note(f"{tool.name}: taken from {found}")
                    install(
                        cache, tool, Path(shutil.copy(found, scratch / tool.name)), f"copied from {found}"
                    )
                else:
                    current.note(f"building {tool.name} {tool.version} ({number} of {len(absent)})")
                    install(
                        cache, tool, build(cache, tool, scratch), f"built from {tool.package}@{tool.version}"
                    )
            shutil.rmtree(scratch, ignore_errors=True)
        current.done(f"{len(absent)} new in {cache.bin}")


def build(cache: Cache, tool: Tool, scratch: Path) -> Path:
    """Compiles one binary into scratch space and returns its path."""
    check_go()
    log = cache.logs / f"build-{tool.name}.log"
    log.unlink(missing_ok=True)
    # What is stripped at the end need not be made: a tenth of the time.
    flags = ["-ldflags", tool.ldflags, "-gcflags", "all=-dwarf=false"]
    if tool.workspace:
        command = ["go", "build", "-mod=readonly", *flags, "-o", str(scratch / tool.name), tool.package]
        run(
            command,
            timeout=BUILD_SECONDS,
            environment=GO_ENVIRONMENT,
            directory=GO_FOLDER / tool.workspace,
            log=log,
        )
    elif tool.module:
        command = ["go", "build", "-mod=readonly", "-tags", tool.tags, *flags, "-o", str(scratch / tool.name)]
        run(
            [*command, tool.package],
            timeout=BUILD_SECONDS,
            environment={**GO_ENVIRONMENT, **dict(tool.environment)},
            directory=module_folder(tool.module, tool.version, scratch),
            log=log,
        )
    else:
        environment = {**GO_ENVIRONMENT, "GOBIN": str(scratch)}
        command = ["go", "install", *flags, f"{tool.package}@{tool.version}"]
        run(command, timeout=BUILD_SECONDS, environment=environment, directory=scratch, log=log)
    return scratch / tool.name


def module_folder(module: str, version: str, scratch: Path) -> Path:
    """Where Go keeps the sources of a module; fetches them, checked by the checksum database."""
    command = ["go", "mod", "download", "-json", f"{module}@{version}"]
    answer = run(command, timeout=DOWNLOAD_SECONDS, environment=GO_ENVIRONMENT, directory=scratch).stdout
    return Path(json.loads(answer)["Dir"])


def check_go() -> None:
    """Raises Failure where no Go can compile the tools (from 1.21 on Go fetches a newer one itself)."""
    wanted = ".".join(map(str, versions.GO))
    try:
        found = run(["go", "env", "GOVERSION", "GOTOOLCHAIN"], timeout=60, directory=Path("/")).stdout.split()
    except CommandFailed as error:
        raise Failure(
            f"Go {wanted} or newer is needed to build the tools, and there is none: {error}"
        ) from None
    number = re.match(r"go(\d+)\.(\d+)", found[0])
    have = (int(number[1]), int(number[2])) if number else (0, 0)
    fetches = have >= (1, 21) and not (len(found) > 1 and found[1].startswith("local"))
    if have < versions.GO and not fetches:
        raise Failure(f"Go {wanted} or newer is needed to build the tools; this is {found[0]}")


def find_on_path(cache: Cache, tool: Tool) -> Path | None:
    """A program of that name on PATH (not ours) that can stand for the pinned one."""
    if tool not in CLI:
        return None
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if Path(folder) != cache.bin]
    found = shutil.which(tool.name, path=os.pathsep.join(folders))
    if found is None or not is_static_elf(Path(found).read_bytes()):
        return None
    arguments = {
        "kind": ["version", "-q"],
        "kubectl": ["version", "--client"],
        "helm": ["version", "--short"],
    }
    try:
        said = run([found, *arguments[tool.name]], timeout=20, check=False).stdout
    except CommandFailed:
        return None
    return Path(found) if acceptable(tool.name, said) else None


def acceptable(name: str, said: str) -> bool:
    """Whether a tool that answers so when asked for its version can be used in place of the pinned one.

    kind has to be the pinned release (its node image belongs to it), kubectl within one minor of the cluster,
    helm of the pinned major and at least the pinned minor.
    """
    match = re.search(r"v?(\d+)\.(\d+)\.(\d+)(-\S+)?", said)
    if match is None or match[4]:
        return False
    have = (int(match[1]), int(match[2]), int(match[3]))
    pins = {"kind": versions.KIND, "kubectl": versions.KUBERNETES, "helm": versions.HELM}
    major, minor, patch = map(int, pins[name].removeprefix("v").split("."))
    if name == "kind":
        return have == (major, minor, patch)
    if name == "kubectl":
        return have[0] == major and abs(have[1] - minor) <= 1
    return have[0] == major and have[1] >= minor


def is_static_elf(content: bytes) -> bool:
    """Whether this is a 64-bit little-endian ELF executable without an interpreter (so it runs in any image).

    Layout: ELF-64 object file format, file header (e_phoff, e_phentsize, e_phnum) and program headers
    (p_type).
    """
    if content[:6] != b"\x7fELF\x02\x01" or len(content) < 64:
        return False
    (offset,) = struct.unpack_from("<Q", content, 0x20)
    size, count = struct.unpack_from("<HH", content, 0x36)
    interpreter = 3
    if offset + size * count > len(content):
        return False
    return all(
        struct.unpack_from("<I", content, offset + index * size)[0] != interpreter for index in range(count)
    )
