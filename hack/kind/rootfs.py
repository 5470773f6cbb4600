"""Root file systems made of Debian packages, for images that cannot be pulled."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from hack.kind import debian, versions
from hack.kind.proc import run
from hack.kind.settings import Cache
from hack.progress import Step

BUILD_SECONDS = 1200.0
PACKAGES = {
    "control-plane": (
        "busybox-static",
        "ca-certificates",
        "catatonit",
        "conntrack",
        "ipset",
        "iptables",
        "kmod",
        "nftables",
    ),
    "node": (
        "ca-certificates",
        "conntrack",
        "containerd",
        "containernetworking-plugins",
        "curl",
        "dbus",
        "ebtables",
        "ethtool",
        "hostname",
        "iproute2",
        "iptables",
        "jq",
        "kmod",
        "libseccomp2",
        "mount",
        "nftables",
        "procps",
        "rsync",
        "runc",
        "socat",
        "systemd",
        "systemd-sysv",
        "util-linux",
    ),
}


def path(cache: Cache, name: str) -> Path:
    """Where the archive is, or will be; its name changes with the packages and the Debian release."""
    wanted = " ".join((versions.DEBIAN_SUITE, *PACKAGES[name]))
    return (
        cache.rootfs
        / f"{name}-{versions.DEBIAN_SUITE}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}.tar"
    )


def ensure(cache: Cache, name: str, current: Step) -> Path:
    """The archive of that root file system, built with mmdebstrap if it is not there."""
    target = path(cache, name)
    if target.exists():
        return target
    debian.install(cache, current, {"mmdebstrap": "mmdebstrap"})
    cache.rootfs.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{name}.{os.getpid()}.tar")
    for old in cache.rootfs.glob(f".{name}.*.tar"):
        old.unlink()
    current.note(
        f"{name}: {len(PACKAGES[name])} packages and what they need, from Debian {versions.DEBIAN_SUITE}"
    )
    include = f"--include={','.join(PACKAGES[name])}"
    command = ["mmdebstrap", "--variant=minbase", include, versions.DEBIAN_SUITE, str(unfinished)]
    run(command, timeout=BUILD_SECONDS, log=cache.logs / f"rootfs-{name}.log")
    unfinished.replace(target)
    return target
