"""A virtual machine with a kernel that has ESP, for tests of it where this machine's kernel has none.

Debian's kernel runs in qemu's software emulation, with this machine's root file system below a writable layer in
memory: the same Python, strongSwan and tests as outside. Nothing of it reaches this machine's disk or network.
"""

from __future__ import annotations

import contextlib
import gzip
import shlex
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path

KERNEL = Path("/var/cache/ipsecbench/kernel")
"""Where tests/install-system-packages.sh unpacks it."""
PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "modprobe": "kmod",
}
_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
_CIPHERS = (
    *("jitterentropy_rng", "drbg", "authenc", "authencesn", "seqiv", "echainiv", "gcm", "ccm", "cbc", "ctr", "ecb"),
    *("hmac", "md5", "sha1_generic", "sha256_generic", "sha512_generic", "cmac", "xcbc", "chacha20poly1305"),
    *("aes_generic", "aesni_intel", "ghash_clmulni_intel", "des_generic", "blowfish_generic", "cast5_generic"),
    *("camellia_generic", "serpent_generic", "twofish_generic", "chacha_generic", "poly1305_generic"),
    *("algif_hash", "algif_skcipher", "algif_aead"),
)
_CPU = "Westmere,+rdrand"
"""With AES instructions and without AVX, which costs more to emulate than it saves."""
_ARCHIVE_ALIGNMENT = 4
END = "the guest ends"
"""Printed last, with the exit status of the command."""

_INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
for module in /modules/*; do /bin/busybox insmod $module; done
options=trans=virtio,version=9p2000.L,ro,msize=524288,cache=loose
/bin/busybox mount -t 9p -o $options host /host
/bin/busybox mount -t tmpfs tmpfs /upper
/bin/busybox mkdir /upper/upper /upper/work
/bin/busybox mount -t overlay -o lowerdir=/host,upperdir=/upper/upper,workdir=/upper/work overlay /root
/bin/busybox mount -t proc proc /root/proc
/bin/busybox mount -t sysfs sysfs /root/sys
/bin/busybox mount -t devtmpfs dev /root/dev
/bin/busybox mount -t tmpfs tmpfs /root/run
/bin/busybox cp /guest /root/guest
exec /bin/busybox switch_root /root /bin/bash /guest
"""

_GUEST = """export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
mkdir -p /lib/modules
mount --bind {modules} /lib/modules
modprobe -a esp4 esp6 xfrm_user veth tun
# Loaded on demand they would keep the first SA waiting for seconds. After that nobody need look for a module each time
# the kernel builds a template, such as authenc(hmac(sha1),cbc(aes)): there are hundreds, and none is a module.
modprobe -aq {ciphers}
printf '%s\n' '#!/bin/busybox sh' 'case "$*" in *crypto-*) exit 1 ;; esac' 'exec /sbin/modprobe "$@"' > /modprobe
chmod 755 /modprobe
echo /modprobe > /proc/sys/kernel/modprobe
cd {folder}
{command}
echo "{end}: $?"
echo o > /proc/sysrq-trigger
sleep 10
"""


def missing_prerequisite() -> str | None:
    """Why there can be no virtual machine here, or None where there can."""
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            return f"no program '{program}': install the package '{package}'"
    if not list((KERNEL / "boot").glob("vmlinuz-*")):
        return f"no kernel in {KERNEL}: tests/install-system-packages.sh gets it"
    return None


def run(command: Sequence[str], folder: Path, scratch: Path, timeout_seconds: float) -> str:
    """Run a command in the machine and return what it printed; when time is over, what it had printed until then.

    Args:
        command: as root, in the same file system as here.
        folder: where.
        scratch: an empty folder of ours for the machine's first file system.
        timeout_seconds: for everything, the start included.
    """
    (kernel,) = (KERNEL / "boot").glob("vmlinuz-*")
    version = kernel.name.removeprefix("vmlinuz-")
    guest = _GUEST.format(
        modules=KERNEL / "lib/modules",
        ciphers=" ".join(_CIPHERS),
        folder=shlex.quote(str(folder)),
        command=shlex.join(command),
        end=END,
    )
    image, console = scratch / "initramfs", scratch / "console"
    image.write_bytes(gzip.compress(_first_file_system(version, guest), 1))
    machine = [
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-smp", "2", "-cpu", _CPU, "-m", "1024"),
        *("-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"),
        *("-kernel", str(kernel), "-initrd", str(image), "-append", "console=ttyS0 quiet panic=1 cryptomgr.notests"),
        *("-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"),
    ]
    with console.open("wb") as output, contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            machine,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=timeout_seconds,
            check=False,
        )
    return console.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")


def _first_file_system(version: str, guest: str) -> bytes:
    """An initramfs: busybox, the modules that the root file system needs, and the two scripts."""
    files = {"init": _INIT.encode(), "guest": guest.encode(), "bin/busybox": Path(_found("busybox")).read_bytes()}
    ordered: dict[str, None] = {}
    for module in _MODULES:
        shown = subprocess.run(
            ["modprobe", "-d", str(KERNEL), "-S", version, "--show-depends", module],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
        ordered |= dict.fromkeys(line.split()[1] for line in shown.stdout.splitlines() if line.startswith("insmod"))
    for number, path in enumerate(ordered, 10):
        files[f"modules/{number}-{Path(path).name}"] = Path(path).read_bytes()
    folders = ("bin", "modules", "root", "host", "upper", "proc")
    entries = [_entry(name, stat.S_IFDIR | 0o755, b"") for name in folders]
    entries += [_entry(name, stat.S_IFREG | 0o755, content) for name, content in files.items()]
    return b"".join((*entries, _entry("TRAILER!!!", 0, b"")))


def _found(program: str) -> str:
    path = shutil.which(program)
    assert path, program
    return path


def _entry(name: str, mode: int, content: bytes) -> bytes:
    """One file in the archive format that the kernel unpacks, cpio's "newc"."""
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return _aligned(header) + _aligned(content)


def _aligned(octets: bytes) -> bytes:
    return octets + b"\0" * (-len(octets) % _ARCHIVE_ALIGNMENT)
