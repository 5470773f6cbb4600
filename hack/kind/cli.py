"""The command line of `python3 -m hack.kind`."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from hack.kind import cluster, engine, load, settings, tools
from hack.kind.proc import Failure, interrupt_on_term
from hack.kind.settings import Settings, SettingsError

EPILOG = (settings.__doc__ or "").partition("\n\n")[2]


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python3 -m hack.kind",
        description="A local Kubernetes cluster with kind, also where no image registry can be reached.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--name", help="name of the cluster")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", parents=[common], help="make or recover the cluster; repeatable")
    prepare = commands.add_parser(
        "prepare", parents=[common], help="what `up` begins with: free ports, a running Docker Engine"
    )
    for command in (prepare, up):
        command.add_argument("--nodes", metavar="N", help="nodes, the first is the control plane")
        command.add_argument("--port-offset", metavar="N", help="added to every port on localhost")
    commands.add_parser("down", parents=[common], help="delete the cluster and its leftovers")
    commands.add_parser(
        "status", parents=[common], help="say what runs; exit code 1 when the cluster is not usable"
    )
    commands.add_parser("tools", help="kind, kubectl and helm only; prints their paths")
    commands.add_parser("docker", help="only see to it that a Docker Engine runs")
    images = commands.add_parser(
        "load", parents=[common], help="docker images into all nodes, skipping those there"
    )
    images.add_argument("images", nargs="+", metavar="IMAGE")
    commands.add_parser(
        "env", parents=[common], help='lines for the shell: eval "$(python3 -m hack.kind env)"'
    )
    return top


def exports(chosen: Settings, path: str) -> str:
    """Shell lines that put our programs first on PATH and name the cache and the context."""
    folders = [str(chosen.cache.bin)] + [
        part for part in path.split(os.pathsep) if part != str(chosen.cache.bin)
    ]
    values = {
        "PATH": os.pathsep.join(folders),
        "PAYMENTS_CACHE": str(chosen.cache.root),
        "PAYMENTS_CLUSTER": chosen.cluster,
        "PAYMENTS_CONTEXT": chosen.context,
    }
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())


def perform(arguments: argparse.Namespace, chosen: Settings) -> int:
    match arguments.command:
        case "prepare":
            cluster.prepare(chosen)
        case "up":
            cluster.up(chosen)
        case "down":
            cluster.down(chosen)
        case "status":
            return 0 if cluster.status(chosen) else 1
        case "docker":
            engine.ensure(chosen)
        case "tools":
            tools.ensure(chosen.cache, tools.CLI, "Command line tools")
            for tool in tools.CLI:
                print(chosen.cache.bin / tool.name)
        case "load":
            load.load(chosen, arguments.images)
        case "env":
            print(exports(chosen, os.environ.get("PATH", "")), end="")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 1 failed (the reason is on stderr), 2 wrong arguments, 130 interrupted."""
    arguments = parser().parse_args(argv)
    interrupt_on_term()
    try:
        chosen = settings.read_settings(
            os.environ,
            Path.home(),
            cluster=getattr(arguments, "name", None),
            nodes=getattr(arguments, "nodes", None),
            port_offset=getattr(arguments, "port_offset", None),
        )
        return perform(arguments, chosen)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Failure as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return 130
