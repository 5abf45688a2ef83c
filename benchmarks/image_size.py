"""Size of an installed Classpulse by package, and compressed like the layer of a container image.

    python -m benchmarks.image_size /path/to/venv

The argument is a virtual environment that was created with the commands of the Dockerfile's first stage.
"""

from __future__ import annotations

import argparse
import os
import tarfile
import zlib
from collections import Counter
from pathlib import Path

BASE_MB, BASE_PACKED_MB = 125, 45
"""The approximate published sizes of python:3.12-slim, not measured; 3.14-slim is taken to be as large."""


class GzipCounter:
    """A file that counts the bytes that gzip would write."""

    def __init__(self) -> None:
        self.size = 0
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, 31)

    def write(self, data: bytes) -> int:
        """Count the compressed size of ``data``."""
        self.size += len(self._compressor.compress(data))
        return len(data)

    def finish(self) -> int:
        """The number of compressed bytes."""
        return self.size + len(self._compressor.flush())


def main(venv: Path) -> None:
    """Print the sizes."""
    (site,) = venv.glob("lib/python3.*/site-packages")
    sizes: Counter[str] = Counter()
    packed: Counter[str] = Counter()
    compiled = 0
    for folder, _, files in os.walk(venv):
        for name in files:
            path = Path(folder) / name
            if path.is_symlink():
                continue
            content = path.read_bytes()
            inside = path.is_relative_to(site)
            part = path.relative_to(site).parts[0].removesuffix(".libs") if inside else "(not a package)"
            sizes[part] += len(content)
            packed[part] += len(zlib.compress(content, 6))
            compiled += len(content) * (path.suffix == ".pyc")
    counter = GzipCounter()
    with tarfile.open(fileobj=counter, mode="w|") as layer:  # type: ignore[call-overload]
        layer.add(venv, arcname="opt/classpulse")
    total, compressed = sizes.total() / 1e6, counter.finish() / 1e6
    print("on disk, compressed (of packages: the sum of their files, each compressed alone)")
    for name, size in sizes.most_common(20):
        print(f"{size / 1e6:8.1f} {packed[name] / 1e6:8.1f} MB  {name}")
    print(f"{total:8.1f} {compressed:8.1f} MB  total ({compiled / 1e6:.0f} MB on disk: compiled Python)")
    print(f"{total + BASE_MB:8.0f} {compressed + BASE_PACKED_MB:8.0f} MB  with the base image")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("venv", type=Path)
    main(parser.parse_args().venv)
