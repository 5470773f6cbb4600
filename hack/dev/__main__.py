"""make dev: the services as local processes with real PostgreSQL, Redis and Kafka; no cluster.

Services answer on ports 13000 and up, the load balancer on 8081. Ctrl-C ends everything.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from hack.dev import containers, load_balancer
from hack.dev.catalog import REPOSITORY
from hack.dev.stack import Stack
from hack.progress import say, step

PREFIX = "payments-dev"
FOLDER = REPOSITORY / ".dev"


def main() -> int:
    """Run until interrupted; 1 when something could not start."""
    parser = argparse.ArgumentParser(prog="make dev", description=__doc__)
    parser.add_argument("--port", type=int, default=8081, help="port of the load balancer (8081)")
    parser.add_argument(
        "--offset", type=int, default=0, help="added to the ports of services and dependencies"
    )
    parser.add_argument(
        "--down", action="store_true", help="remove the containers of an earlier run and exit"
    )
    arguments = parser.parse_args()
    if arguments.down:
        containers.stop(PREFIX)
        load_balancer.stop()
        return 0
    helm = _helm()
    with step("PostgreSQL, Redis, Kafka"):
        servers = containers.start(PREFIX, offset=arguments.offset)
    stack = Stack(FOLDER, servers, offset=arguments.offset)
    try:
        with step("migrations and topics"):
            stack.prepare()
        with step("ten services"):
            stack.start()
        with step("load balancer"):
            load_balancer.start(
                FOLDER / "load-balancer",
                helm,
                gateway_port=stack.ports["api-gateway"],
                port=arguments.port,
                token=stack.identity.load_balancer_token,
            )
        say(f"ready: http://localhost:{arguments.port} (demo / password123; API docs under /docs)")
        while not (dead := stack.processes.dead()):
            time.sleep(1)
        say(f"ended by themselves: {', '.join(dead)}")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        stack.stop()
        load_balancer.stop()
        say("stopped; the dependencies keep running for the next start (make dev-down ends them)")


def _helm() -> str:
    cache = Path(os.environ.get("PAYMENTS_CACHE") or Path.home() / ".cache/payment-platform")
    helm = shutil.which("helm", path=f"{cache / 'bin'}:{os.environ.get('PATH', '')}")
    if helm is None:
        raise SystemExit("helm is missing: run `python3 -m hack.kind tools`")
    return helm


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (subprocess.CalledProcessError, TimeoutError, RuntimeError) as error:
        say(f"error: {error}")
        sys.exit(1)
