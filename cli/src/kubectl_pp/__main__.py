"""The command line of `kubectl pp`."""

from __future__ import annotations

import argparse
import json
import sys
import time
import webbrowser
from collections.abc import Sequence

from kubectl_pp import actions, backups, trace
from kubectl_pp.kube import Failed, Kube
from kubectl_pp.pay import demo_payment
from kubectl_pp.spans import Trace
from kubectl_pp.tree import ready, tree, unhealthy

#: What can be opened: Service and port.
CONSOLES = {
    "api": ("load-balancer", 8080),
    "jaeger": ("jaeger", 16686),
    "prometheus": ("prometheus", 9090),
    "grafana": ("grafana", 3000),
    "dashboards": ("search-dashboards", 5601),
}


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    top = argparse.ArgumentParser(prog="kubectl pp", description="Look after PaymentPlatforms.")
    top.add_argument("-n", "--namespace", default="", help="namespace of the platform (default: kubectl's)")
    top.add_argument("--context", default="", help="context of the cluster (default: kubectl's)")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("platform", nargs="?", default="", help="its name (default: the only one there)")
        return made

    show = command("status", "The platform as a tree. Exit status 1 when no payment can be made.")
    show.add_argument("-o", "--output", choices=["tree", "json"], default="tree")
    command("why", "Only what is not well, with what to do. Exit status 1 when there is something.")
    command("plan", "What the operator would change now, by its dry run. Nothing is changed.")
    turn = command(
        "rotate",
        "A new key, without a restart, or a new password, for which its consumers roll; with overlap.",
    )
    turn.add_argument("--keys", choices=actions.KEY_SETS, default="signing-keys")
    save = command("backup", "A backup of the database now; prints its name.")
    save.add_argument("--timeout", type=float, default=3600, help="seconds to wait for it (default: 3600)")
    back = command("restore", "A platform like this one in another namespace, from a backup in its bucket.")
    back.add_argument("--to", required=True, metavar="NAMESPACE", help="an empty namespace that is there")
    which = back.add_mutually_exclusive_group()
    which.add_argument("--backup", default="latest", help="its name (default: latest)")
    which.add_argument(
        "--to-time", default="", metavar="TIME", help="a moment instead, as 2026-11-23T14:05:00+01:00"
    )
    back.add_argument("--name", default="", help="of the new platform (default: the same)")
    back.add_argument("--host", default="", help="of the new platform's Ingress, where this one has any")
    back.add_argument("--print", action="store_true", dest="only_print", help="only print the manifest")
    back.add_argument("--timeout", type=float, default=3600, help="seconds until it is ready (default: 3600)")
    command("verify", "Prove that no money is lost or doubled. Exit status 1 when something is wrong.")
    pay = command("pay", "A demo payment through the load balancer (dev profile).")
    pay.add_argument("--amount", type=int, default=100, help="minor units of USD (default: 100)")
    log = command("logs", "Every line of all services about a payment.")
    log.add_argument("--payment", required=True, help="its id")
    log.add_argument("--since", default="1h", help="as kubectl logs has it (default: 1h)")
    trail = command(
        "trace", "A payment's traces, events, ledger entries and audit chain. Exit status 1: a fault."
    )
    trail.add_argument("--payment", required=True, help="its id")
    trail.add_argument("--jaeger", default="", help="URL of Jaeger's API (default: the platform's own)")
    open_ = command("open", "Forward a console to this machine and open it, until interrupted.")
    open_.add_argument("--console", choices=sorted(CONSOLES), default="api")
    open_.add_argument("--no-browser", action="store_true", help="only print the address")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 well, 1 not well, 2 it could not be done."""
    given = parser().parse_args(arguments)
    kube = Kube(given.context, given.namespace)
    try:
        return run(kube, given)
    except Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def run(kube: Kube, given: argparse.Namespace) -> int:
    """The chosen command."""
    platform = kube.platform(given.platform)
    kube = Kube(kube.context, platform["metadata"]["namespace"])
    match given.command:
        case "status":
            return status(kube, platform, given.output)
        case "why":
            return why(platform)
        case "plan":
            for line in actions.told(actions.plan(kube, platform)):
                print(line)
        case "rotate":
            print(actions.rotate(kube, platform, given.keys))
        case "backup":
            print(backups.back_up(kube, platform, timeout=given.timeout))
        case "restore":
            restore(kube, platform, given)
        case "verify":
            well, report = actions.verify(kube)
            print(report, end="")
            return 0 if well else 1
        case "pay":
            with kube.forwarded("service/load-balancer", 8080) as url:
                for line in demo_payment(url, given.amount):
                    print(line)
        case "logs":
            lines = actions.logs(kube, given.payment, given.since)
            print("\n".join(lines) or f"no line of the last {given.since} names {given.payment}")
        case "trace":
            return show_trace(kube, given.payment, given.jaeger)
        case "open":
            show_console(kube, given.console, browser=not given.no_browser)
    return 0


def why(platform: dict[str, object]) -> int:
    """What is not well, a line each."""
    found = unhealthy(platform)
    for item in found:
        print(f"✗ {item['type']} ({item['reason']}): {item['message']}")
    return 1 if found else 0


def restore(kube: Kube, platform: dict[str, object], given: argparse.Namespace) -> None:
    """A new platform from a backup, or only its manifest."""
    name = given.name or str(platform["metadata"]["name"])  # type: ignore[index]
    origin = {"targetTime": backups.moment(given.to_time)} if given.to_time else {"name": given.backup}
    manifest = backups.copy_of(platform, origin, given.to, name, given.host)
    if given.only_print:
        print(json.dumps(manifest, indent=2))
        return
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    found = backups.restore(kube, manifest, timeout=given.timeout, tell=tell)
    told = found["status"]["restore"]
    print(f"{given.to}/{name} is ready, restored from {told['name']}, its books proven right")


def show_console(kube: Kube, console: str, *, browser: bool) -> None:
    """Forward it until interrupted."""
    service, port = CONSOLES[console]
    with kube.forwarded(f"service/{service}", port) as url:
        print(f"{console}: {url} (Ctrl-C ends it)", flush=True)
        if browser:
            webbrowser.open(url)
        while True:
            time.sleep(3600)


def show_trace(kube: Kube, payment: str, jaeger: str) -> int:
    """All that is known of a payment; without a Jaeger, all but its traces."""
    found = trace.records(kube, payment)
    spans: list[Trace] | str
    try:
        if jaeger:
            spans = trace.traces(jaeger.rstrip("/"), payment)
        else:
            with kube.forwarded("service/jaeger", CONSOLES["jaeger"][1]) as url:
                spans = trace.traces(url, payment)
    except Failed as error:
        spans = str(error)
    for line in trace.told(found, spans):
        print(line)
    return 0 if trace.well(found) else 1


def status(kube: Kube, platform: dict[str, object], output: str) -> int:
    """The tree, or the status as it is."""
    if output == "json":
        print(json.dumps(platform.get("status", {}), indent=2))
    else:
        label = f"paymentplatform.dev/platform={platform['metadata']['name']}"  # type: ignore[index]
        workloads = kube.get("deployments,statefulsets", "--selector", label)["items"]
        pods = kube.get("pods", "--selector", label)["items"]
        for line in tree(platform, workloads, pods):
            print(line)
    return 0 if ready(platform) else 1


if __name__ == "__main__":
    sys.exit(main())
