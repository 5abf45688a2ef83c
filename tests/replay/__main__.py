"""Runs the inputs and prints differences to the reference.

python -m tests.replay                   all inputs; exit code 1 if there are differences
python -m tests.replay room term         some of them
python -m tests.replay --exact           without tolerances, for two runs on one machine
python -m tests.replay --update          write the results as the new reference
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
    """Run, compare and print; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("inputs", nargs="*", choices=[*INPUTS, []], help="default: all")
    parser.add_argument("--exact", action="store_true", help="without tolerances")
    parser.add_argument("--update", action="store_true", help="write the reference")
    arguments = parser.parse_args()
    lines = 0
    for name in arguments.inputs or INPUTS:
        reference = REFERENCES / f"{name}.json"
        with tempfile.TemporaryDirectory() as folder:
            values = INPUTS[name].play(Path(folder))
        if arguments.update:
            reference.write_text(to_text(values) + "\n", encoding="utf-8")
            continue
        expected = json.loads(reference.read_text(encoding="utf-8"))
        tolerances = EXACT if arguments.exact else INPUTS[name].tolerances
        for line in differences(expected, values, tolerances, name):
            click.echo(line)
            lines += 1
    if not arguments.update:
        click.echo(f"{lines} differences" if lines else "no differences")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
