"""How our commands end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import NoReturn

from hack.progress import say


def exit_with(main: Callable[[], int]) -> NoReturn:
    """Exit as `main` says; 1 when something failed, with its words on stderr, and 130 when interrupted."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("interrupted; it can be run again")
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        say(f"error: {' '.join(map(str, error.cmd[:6]))} … ended with {error.returncode}")
        if error.stderr:
            say(str(error.stderr).strip())
        sys.exit(1)
    except (RuntimeError, OSError) as error:  # a TimeoutError is an OSError
        say(f"error: {error}")
        sys.exit(1)
