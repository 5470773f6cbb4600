import os, sys
from pathlib import Path
from hack.kind import engine, tools
from hack.kind.settings import read_settings
def main():
    s = read_settings(os.environ, Path.home())
    if sys.argv[1]=="docker": engine.ensure(s)
    if sys.argv[1]=="tools":
        tools.ensure(s.cache, tools.CLI, "Command line tools")
        tools.ensure(s.cache, tools.NODE, "Node binaries")
    return 0
def x():
    from hack.kind import node_image
    print(node_image.ensure(read_settings(os.environ, Path.home())))
