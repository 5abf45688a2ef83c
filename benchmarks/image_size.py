"""How large an installed Classpulse is, by package, and packed as an image's layer would be.

    python benchmarks/image_size.py /path/to/venv

Give it a virtual environment in which the commands of the Dockerfile's first stage were run.
"""

from __future__ import annotations

import os
import sys
import tarfile
import zlib
from collections import Counter
from pathlib import Path

BASE_MB, BASE_PACKED_MB = 125, 45
"""python:3.12-slim as published, about; it was not measured here."""


class Counting:
    """A file that only counts what gzip would make of what is written to it."""

    def __init__(self) -> None:
        self.size = 0
        self._packer = zlib.compressobj(6, zlib.DEFLATED, 31)

    def write(self, data: bytes) -> int:
        """Count it."""
        self.size += len(self._packer.compress(data))
        return len(data)

    def finish(self) -> int:
        """How many bytes it came to."""
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
    print(f"{total:8.1f} MB  all of it, {compiled / 1e6:.0f} MB of that compiled Python")
    print(f"{packed:8.1f} MB  packed")
    print(f"{total + BASE_MB:8.0f} MB  with python:3.12-slim (about {BASE_MB} MB)")
    print(f"{packed + BASE_PACKED_MB:8.0f} MB  of it to be pulled (the base: about {BASE_PACKED_MB} MB)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
