import os, sys
from pathlib import Path
from hack.kind import engine
from hack.kind.settings import read_settings
def main():
    s = read_settings(os.environ, Path.home())
    engine.ensure(s)
    return 0
