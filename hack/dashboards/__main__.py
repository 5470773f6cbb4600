"""Write the dashboards, or check that none is stale: python3 -m hack.dashboards [--check]."""

from __future__ import annotations

import argparse
import sys

from hack.dashboards.files import FOLDER, texts


def main() -> int:
    """0: written or fresh; 1: stale files (with --check)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, name stale files")
    check = parser.parse_args().check
    stale = 0
    for name, text in texts().items():
        path = FOLDER / name
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        print(f"{'stale' if check else 'written'}: {path}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
