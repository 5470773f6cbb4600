"""Programs that stand-ins take from Go modules instead of Debian packages, in PAYMENTS_CACHE/bin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hack.images import flux
from hack.kind import tools
from hack.kind.settings import Cache
from hack.kind.tools import Tool
from hack.progress import step

# The module's versions count as the first generation's; the same release of the second one is 2.13.0.
JAEGER = "v1.76.0"
JAEGER_RELEASE = "v2.13.0"
JAEGER_MODULE = "github.com/jaegertracing/jaeger"
INFLUXDB = "v2.7.12"


def program(cache: Cache, name: str) -> Tool:
    """How to build the program of that name. Raises KeyError for names that no recipe may use."""
    return {
        "jaeger": Tool(
            "jaeger",
            "./cmd/jaeger",
            JAEGER,
            module=JAEGER_MODULE,
            ldflags=f"-s -w -X {JAEGER_MODULE}/internal/version.latestVersion={JAEGER_RELEASE}",
        ),
        # Without the web page's assets, which are not in the module; the API is whole.
        "influxd": Tool(
            "influxd",
            "./cmd/influxd",
            INFLUXDB,
            module="github.com/influxdata/influxdb/v2",
            ldflags=f"-s -w -X main.version={INFLUXDB}",
            tags="sqlite_foreign_keys,sqlite_json,noassets",
            environment=flux.environment(cache),
        ),
    }[name]


def ensure(cache: Cache, wanted: Mapping[str, str]) -> dict[str, Path]:
    """Place in the image → the program's file, built where it is missing or of other sources.

    `wanted` maps names of programs to places in the image. Raises Failure (no Go, no network) naming the fix.
    """
    missing = [tool for name in wanted if not tools.is_current(cache, tool := program(cache, name))]
    if any(tool.name == "influxd" for tool in missing):
        with step("Compilers of Flux") as current:
            flux.prepare(cache, current)
    if missing:
        tools.ensure(cache, tuple(missing), f"Programs {', '.join(tool.name for tool in missing)}")
    return {place: cache.bin / name for name, place in wanted.items()}
