"""Run benchmarks: `python -m bench` for all of them, or `python -m bench list sweep`."""

from __future__ import annotations

import argparse
import asyncio
import time
from importlib import import_module

from bench.report import ORDER, write

# Names that would hide a builtin or are no names in Python.
_MODULES = {"list": "listing", "import": "importing"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ORDER, []], metavar=" | ".join(ORDER))
    parser.add_argument("--print", action="store_true", help="do not write docs/benchmarks.md")
    asked = parser.parse_args()
    for name in asked.names or ORDER:
        began = time.monotonic()
        print(f"{name} …", flush=True)
        module = import_module(f"bench.{_MODULES.get(name, name)}")
        section = asyncio.run(module.run())
        print(f"\n{section.title}\n\n{section.figures}\n")
        print(f"({time.monotonic() - began:.0f} s)\n", flush=True)
        if not asked.print:
            write(section)


if __name__ == "__main__":
    main()
