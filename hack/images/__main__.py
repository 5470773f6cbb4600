"""`python3 -m hack.images`: see `--help`."""

import sys

from hack.images.cli import main

sys.exit(main(sys.argv[1:]))
