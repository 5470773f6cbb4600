"""An OCI runtime: runc, with each container's capabilities cut to those the machine has.

`docker run --privileged` asks for every capability there is. On a machine whose bounding set lacks one (a
virtual machine or container without CAP_SYS_RESOURCE, say) runc refuses: "unable to apply caps". This program
stands between Docker and runc, takes the missing capabilities out of the bundle's config.json (`create`,
`run`) or of the process file (`exec`), and becomes runc. It is installed only on such machines (see
engine.py) and is a single file that imports nothing of ours.

The spec: https://github.com/opencontainers/runtime-spec/blob/main/config.md#linux-process
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

# Bit numbers of include/uapi/linux/capability.h, in order from 0.
CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT "
    "SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE "
    "AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ "
    "PERFMON BPF CHECKPOINT_RESTORE"
).split()
RUNC_PLACES = ("/usr/sbin/runc", "/usr/bin/runc", "/usr/local/sbin/runc", "/usr/local/bin/runc")


def bounding_set(status: str) -> int:
    """The bit mask CapBnd of a /proc/PID/status text. Raises ValueError when there is none."""
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    raise ValueError("no CapBnd line in the process's status")


def missing(mask: int, last_capability: int) -> set[str]:
    """Names of the capabilities that the kernel knows (0 … last_capability) and the mask lacks."""
    return {
        f"CAP_{name}"
        for bit, name in enumerate(CAPABILITIES)
        if bit <= last_capability and not mask >> bit & 1
    }


def machine_lacks() -> set[str]:
    """Capabilities that this process can never hand on."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    return missing(bounding_set(Path("/proc/self/status").read_text()), last)


def cut(process: dict[str, Any], lacking: set[str]) -> bool:
    """Takes the lacking capabilities out of an OCI process object, in place; tells whether it changed."""
    changed = False
    for kind, names in (process.get("capabilities") or {}).items():
        kept = [name for name in names if name not in lacking]
        if len(kept) != len(names):
            process["capabilities"][kind] = kept
            changed = True
    return changed


def option(arguments: list[str], *names: str) -> str | None:
    """Value of a command line option in either form, `--name value` or `--name=value`."""
    for index, argument in enumerate(arguments):
        for name in names:
            if argument == name and index + 1 < len(arguments):
                return arguments[index + 1]
            if argument.startswith(f"{name}="):
                return argument[len(name) + 1 :]
    return None


def rewrite(path: Path, lacking: set[str], *, bundle: bool) -> None:
    document = json.loads(path.read_text())
    if cut(document.get("process") or {} if bundle else document, lacking):
        path.write_text(json.dumps(document))


def main(arguments: list[str]) -> None:
    lacking = machine_lacks()
    if {"create", "run"} & set(arguments):
        rewrite(Path(option(arguments, "--bundle", "-b") or ".") / "config.json", lacking, bundle=True)
    elif "exec" in arguments and (process := option(arguments, "--process", "-p")):
        rewrite(Path(process), lacking, bundle=False)
    runc = next((place for place in RUNC_PLACES if os.access(place, os.X_OK)), None)
    if runc is None:
        sys.exit(f"no runc in {', '.join(RUNC_PLACES)}")
    os.execv(runc, ["runc", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
