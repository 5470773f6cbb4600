"""What building InfluxDB takes beyond Go: its query language Flux is a library in Rust, linked through cgo.

The module's own pkg-config builds that library when the Go compiler asks for it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from hack.kind import debian, tools
from hack.kind.proc import Failure, run
from hack.kind.settings import Cache
from hack.kind.tools import Tool
from hack.progress import Step

PKG_CONFIG = Tool("flux-pkg-config", ".", "v0.2.14", module="github.com/influxdata/pkg-config")
COMPILERS = {
    "clang": "clang",
    "pkg-config": "pkg-config",
    # bindgen loads it to read C headers.
    "/usr/share/doc/libclang-dev": "libclang-dev",
}
# Flux forbids warnings, and newer compilers than its authors' know more of them.
WRAPPER = '#!/bin/sh\nexec "$@" --cap-lints warn\n'


def _wrapper(cache: Cache) -> Path:
    return cache.root / "flux" / "rustc-wrapper"


def environment(cache: Cache) -> tuple[tuple[str, str], ...]:
    """For the Go compiler, once `prepare` has been called."""
    return (
        ("CGO_ENABLED", "1"),
        ("PKG_CONFIG", str(cache.bin / PKG_CONFIG.name)),
        ("RUSTC_WRAPPER", str(_wrapper(cache))),
        # The release that Flux names would have to be fetched from where there may be no way to.
        ("RUSTUP_TOOLCHAIN", "stable"),
    )


def prepare(cache: Cache, current: Step) -> None:
    """Makes compilers and helpers be there. Raises Failure where there is no cargo."""
    if shutil.which("cargo") is None:
        raise Failure("cargo is needed to build InfluxDB's Flux: install Rust 1.72 or newer")
    debian.install(cache, current, COMPILERS)
    wrapper = _wrapper(cache)
    wrapper.parent.mkdir(parents=True, exist_ok=True)
    wrapper.write_text(WRAPPER)
    wrapper.chmod(0o755)
    run([str(wrapper), "rustc", "--version"], timeout=60, environment=dict(environment(cache)))
    tools.ensure(cache, (PKG_CONFIG,), "pkg-config of Flux")
