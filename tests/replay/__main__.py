"""Plays the inputs and prints what differs from the reference.

PYTHONPATH=tests python -m replay                   all inputs; exit code 1 where something differs
PYTHONPATH=tests python -m replay room term         some of them
PYTHONPATH=tests python -m replay --exact           without tolerances, for two runs on one machine
PYTHONPATH=tests python -m replay --update          write the results as the new reference
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import click

from tests.replay.comparison import EXACT, differences, to_text
from tests.replay.inputs import INPUTS, REFERENCES


def main() -> int:
    """Play, compare and print; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("inputs", nargs="*", choices=[*INPUTS, []], help="which; all by default")
    parser.add_argument("--exact", action="store_true", help="accept no tolerance")
    parser.add_argument("--update", action="store_true", help="write the reference")
    asked = parser.parse_args()
    lines = 0
    for name in asked.inputs or INPUTS:
        reference = REFERENCES / f"{name}.json"
        with tempfile.TemporaryDirectory() as folder:
            now = INPUTS[name].play(Path(folder))
        if asked.update:
            reference.write_text(to_text(now) + "\n", encoding="utf-8")
            continue
        before = json.loads(reference.read_text(encoding="utf-8"))
        tolerances = EXACT if asked.exact else INPUTS[name].tolerances
        for line in differences(before, now, tolerances, name):
            click.echo(line)
            lines += 1
    if not asked.update:
        click.echo(f"{lines} differences" if lines else "no differences")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
