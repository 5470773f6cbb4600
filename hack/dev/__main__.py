"""make dev: the services as local processes with real PostgreSQL, Redis and Kafka; no cluster.

Services answer on ports 13000 and up, the load balancer on 8081. Ctrl-C ends everything.
"""

import argparse
import signal
import time

from hack.command import exit_with
from hack.dev import containers, load_balancer
from hack.dev.catalog import REPOSITORY
from hack.dev.processes import wait_for
from hack.dev.stack import Stack
from hack.progress import say, step

PREFIX = "payments-dev"
LOAD_BALANCER = f"{PREFIX}-load-balancer"
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if arguments.down:
        containers.stop(PREFIX)
        load_balancer.stop(LOAD_BALANCER)
        return 0
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
                LOAD_BALANCER,
                gateway_port=stack.ports["api-gateway"],
                port=arguments.port,
                token=stack.identity.load_balancer_token,
            )
        wait_for(f"http://localhost:{arguments.port}/health", seconds=30, alive=stack.processes)
        say(f"ready: http://localhost:{arguments.port} (demo / password123; API docs under /docs)")
        while not (dead := stack.processes.dead()):
            time.sleep(1)
        say(f"ended by themselves: {', '.join(dead)}")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        stack.stop()
        load_balancer.stop(LOAD_BALANCER)
        say("stopped; the dependencies keep running for the next start (make dev-down ends them)")


if __name__ == "__main__":
    exit_with(main)
