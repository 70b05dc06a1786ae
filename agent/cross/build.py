"""Build the agent for every machine of ``targets.toml`` with ``zig cc``, and write down what was built.

Run by ``make agents``. Each agent becomes ``agent/build/cross/<machine>-<libc>/ipsecbench-agent``; ``manifest.json``
beside the folders says of each what it is and needs, as its ELF header says it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipsecbench import __version__
from ipsecbench.agent.elf import read_elf
from ipsecbench.agent.find import CROSS_FOLDER, EXECUTABLE, MANIFEST, MANIFEST_FORMAT

try:
    import ziglang
except ImportError as error:
    raise SystemExit("zig is missing: 'make agents' installs it, or: pip install 'ipsecbench[cross]'") from error

AGENT = Path(__file__).resolve().parents[1]
ZIG = Path(ziglang.__file__).parent / "zig"

# As in agent/Makefile, less what C libraries' own macros (musl's CMSG_NXTHDR) and 64-bit counters on 32-bit MIPS,
# which zig's own library does under a lock, are warned of for.
_WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wno-sign-compare", "-Wno-atomic-alignment"]
_CODE = ["-std=c11", "-D_FILE_OFFSET_BITS=64", "-fPIE", "-ffunction-sections", "-fdata-sections"]
_CODE += ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fno-sanitize=undefined"]
_LINK = ["-dynamic", "-pie", "-s", "-Wl,--gc-sections", "-Wl,-z,relro", "-Wl,-z,now", "-ldl", "-lpthread"]


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of ``targets.toml``."""

    machine: str
    libc: str
    zig: str
    cpu: str
    flags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.machine}-{self.libc}"


def read_targets() -> tuple[Target, ...]:
    """All targets, in the order of the file."""
    document = tomllib.loads((AGENT / "cross" / "targets.toml").read_text(encoding="utf-8"))
    return tuple(Target(**{**entry, "flags": tuple(entry.get("flags", ()))}) for entry in document["target"])


def hot_sources() -> dict[str, str]:
    """Source to optimisation of what works on every packet or octet, as agent/Makefile has it; all else is ``-Oz``."""
    makefile = (AGENT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = dict(line.split(" = ", 1) for line in makefile.splitlines() if line.startswith(("HOT = ", "WIDE = ")))
    return dict.fromkeys(lines["HOT"].split(), "-O2") | dict.fromkeys(lines["WIDE"].split(), "-O3")


class Builder:
    """Runs zig for one target.

    Args:
        target: what to build for.
        folder: where intermediate files and zig's cache go.
    """

    def __init__(self, target: Target, folder: Path) -> None:
        self._common = [str(ZIG), "cc", "-target", target.zig, f"-mcpu={target.cpu}", *target.flags, *_WARNINGS, *_CODE]
        self._common += [f'-DAGENT_VERSION="{__version__}"', f"-I{AGENT / 'src'}"]
        self._objects = folder / "objects" / target.name
        self._objects.mkdir(parents=True, exist_ok=True)
        cache = str(folder / "cache")
        self._environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}

    def run(self, arguments: Sequence[str | Path]) -> None:
        """Call ``zig cc``; its messages are shown if it fails."""
        command = [*self._common, *map(str, arguments)]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}\n{done.stderr}")

    def objects(self) -> list[str | Path]:
        """Compile what is not made for size; gives these objects and the other sources but ``main.c``."""
        hot = hot_sources()
        parts: list[str | Path] = []
        for source in sorted((AGENT / "src").glob("*.c")):
            if source.stem in hot:
                made = self._objects / f"{source.stem}.o"
                self.run([hot[source.stem], "-c", source, "-o", made])
                parts.append(made)
            elif source.name != "main.c":
                parts.append(source)
        return parts

    def link(self, parts: Sequence[str | Path], output: Path) -> None:
        """Compile and link all of it into ``output``, which is replaced as a whole."""
        fresh = output.with_name(output.name + ".new")
        self.run(["-Oz", *parts, *_LINK, "-o", fresh])
        fresh.replace(output)


def build(target: Target, folder: Path, tests: bool) -> None:
    """Build the agent, and with ``tests`` its C unit tests."""
    builder = Builder(target, folder)
    output = folder / target.name
    output.mkdir(parents=True, exist_ok=True)
    parts = builder.objects()
    builder.link([*parts, AGENT / "src" / "main.c"], output / EXECUTABLE)
    if tests:
        for source in sorted((AGENT / "tests").glob("test_*.c")):
            builder.link([*parts, source], output / source.stem)


def describe(target: Target, path: Path) -> dict[str, Any]:
    """The manifest's entry of one agent."""
    content = path.read_bytes()
    elf = read_elf(content)
    return {
        "machine": target.machine,
        "libc": target.libc,
        "path": f"{target.name}/{EXECUTABLE}",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "bits": elf.bits,
        "byte_order": "big" if elf.is_big_endian else "little",
        "float_abi": elf.float_abi,
        "interpreter": elf.interpreter,
        "needed": list(elf.needed),
        "glibc_at_least": elf.glibc,
        "zig_target": target.zig,
        "cpu": target.cpu,
    }


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=AGENT / "build" / CROSS_FOLDER, help="folder for the agents")
    parser.add_argument("--tests", action="store_true", help="build the C unit tests too")
    parser.add_argument("only", nargs="*", help="names such as mips-musl; default: all")
    arguments = parser.parse_args()
    targets = read_targets()
    unknown = set(arguments.only) - {target.name for target in targets}
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    chosen = [target for target in targets if not arguments.only or target.name in arguments.only]
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for _ in pool.map(lambda target: build(target, arguments.into, arguments.tests), chosen):
            pass
    entries = [
        describe(target, arguments.into / target.name / EXECUTABLE)
        for target in targets
        if (arguments.into / target.name / EXECUTABLE).exists()
    ]
    version = subprocess.run([ZIG, "version"], capture_output=True, text=True, check=True).stdout.strip()
    manifest = {"format": MANIFEST_FORMAT, "version": __version__, "compiler": f"zig {version}", "agents": entries}
    fresh = arguments.into / (MANIFEST + ".new")
    fresh.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    fresh.replace(arguments.into / MANIFEST)
    shutil.rmtree(arguments.into / "objects", ignore_errors=True)
    for entry in entries:
        print(f"{entry['path']:36} {entry['bytes']:>7} bytes  {', '.join(entry['needed'])}")
    print(f"built {len(chosen)} in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
