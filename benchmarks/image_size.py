"""Size of an installed Classpulse, by package, and compressed as an image layer.

    python -m benchmarks.image_size /path/to/venv

The argument is a virtual environment built with the commands of the Dockerfile's first stage.
"""

from __future__ import annotations

import argparse
import os
import tarfile
import zlib
from collections import Counter
from pathlib import Path

BASE_MB, BASE_PACKED_MB = 125, 45
"""python:3.12-slim as published, approximately; not measured here."""


class Counting:
    """A file that counts the gzip-compressed size of what is written to it."""

    def __init__(self) -> None:
        self.size = 0
        self._packer = zlib.compressobj(6, zlib.DEFLATED, 31)

    def write(self, data: bytes) -> int:
        """Count compressed bytes."""
        self.size += len(self._packer.compress(data))
        return len(data)

    def finish(self) -> int:
        """The total number of compressed bytes."""
        return self.size + len(self._packer.flush())


def main(venv: Path) -> None:
    """Print the sizes."""
    (site,) = venv.glob("lib/python3.*/site-packages")
    sizes: Counter[str] = Counter()
    compiled = 0
    for folder, _, files in os.walk(venv):
        for name in files:
            path = Path(folder) / name
            if path.is_symlink():
                continue
            size = path.stat().st_size
            inside = path.is_relative_to(site)
            sizes[path.relative_to(site).parts[0].removesuffix(".libs") if inside else "(not a package)"] += (
                size
            )
            compiled += size * (path.suffix == ".pyc")
    counting = Counting()
    with tarfile.open(fileobj=counting, mode="w|") as layer:  # type: ignore[call-overload]
        layer.add(venv, arcname="opt/classpulse")
    total, packed = sizes.total() / 1e6, counting.finish() / 1e6
    for name, size in sizes.most_common(20):
        print(f"{size / 1e6:8.1f} MB  {name}")
    print(f"{total:8.1f} MB  in total, {compiled / 1e6:.0f} MB of it compiled Python")
    print(f"{packed:8.1f} MB  compressed")
    print(f"{total + BASE_MB:8.0f} MB  with python:3.12-slim (about {BASE_MB} MB)")
    print(f"{packed + BASE_PACKED_MB:8.0f} MB  to pull (about {BASE_PACKED_MB} MB of it the base)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("venv", type=Path)
    main(parser.parse_args().venv)
