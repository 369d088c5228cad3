"""What the header of a binary says: for which processor it is, and whether it loads by itself."""

import struct
import sys
from pathlib import Path

MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}
INTERPRETER = 3  # PT_INTERP: the dynamic loader


def expect_static(path, architecture):
    """A binary of musl: it takes no loader and no library."""
    binary = Path(path).read_bytes()
    assert binary[:6] == b"\x7fELF\x02\x01", f"{path} is no binary of 64 bits for Linux"
    (machine,) = struct.unpack_from("<H", binary, 18)
    assert MACHINES.get(machine) == architecture, f"{path} is for {MACHINES.get(machine, hex(machine))}, not for {architecture}"
    (table,) = struct.unpack_from("<Q", binary, 32)
    size, count = struct.unpack_from("<HH", binary, 54)
    segments = {struct.unpack_from("<I", binary, table + number * size)[0] for number in range(count)}
    assert INTERPRETER not in segments, f"{path} asks for a dynamic loader: it is not static"
    print(f"{path}: {architecture}, static, {len(binary) / 1e6:.1f} MB")


if __name__ == "__main__":
    expect_static(*sys.argv[1:])
