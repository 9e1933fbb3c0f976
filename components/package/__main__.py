"""Serves the package: the engine starts this, and reads the port that it prints."""

import sys
from pathlib import Path

# The engine runs this file by its path: the package it belongs to is two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pulumi.provider import main

from components.package.provider import ComponentPackage

if __name__ == "__main__":
    main(ComponentPackage(), sys.argv[1:])
