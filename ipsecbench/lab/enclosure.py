"""Namespaces of its own for a laboratory: what happens inside cannot reach the machine, and ends with its process.

The calling process forks. Its child lives in new mount, network and PID namespaces, where it is root; without root
outside, a new user namespace comes first (user_namespaces(7)). The first process of a PID namespace takes every other
one with it when it ends, and mounts, network namespaces and devices go with their last process: the kernel itself
leaves nothing behind, whichever process is killed.

::

    caller ── waits, hands signals on, ends as the worker ends
      └ 1  init ── collects what ended
          └ 2  worker ── goes on where enter() was called

Where a container forbids a new /proc there is no PID namespace, and processes end by PR_SET_PDEATHSIG instead.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from ipsecbench.errors import LaboratoryError

_CLONE_NEWNS = 0x00020000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_CLONE_NEWNET = 0x40000000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 2, 4, 8
_PR_SET_PDEATHSIG = 1
RUN = Path("/run")
"""What is there inside is not what is there outside."""
PRIVATE_TEMPORARY = RUN / "ipsecbench"
"""Where temporary files go inside; in memory, and gone with the last process."""

_PROGRAMS = {"ip": "iproute2", "nft": "nftables", "setpriv": "util-linux", "nsenter": "util-linux", "sysctl": "procps"}
_FOLDERS = ("/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin")


def missing_prerequisite(root: Path = Path("/")) -> str | None:
    """Why there can be no laboratory here, or None where nothing that can be known beforehand speaks against it.

    Args:
        root: another root of the file system, for tests.
    """
    if sys.platform != "linux" or not Path("/proc/self/ns/net").exists():
        return "it needs Linux with network namespaces"
    for program, package in _PROGRAMS.items():
        if not any(os.path.exists(root / folder.lstrip("/") / program) for folder in _search_path().split(os.pathsep)):
            return f"no program '{program}': install the package '{package}'"
    if not (root / "dev/net/tun").exists():
        return "no /dev/net/tun: 'modprobe tun' as root, or give the container '--device /dev/net/tun'"
    if not os.access(root / "dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun cannot be opened by this user: 'chmod 666 /dev/net/tun' as root, or run as root"
    return None


def refusal(number: int, root: Path = Path("/")) -> str:
    """Why the kernel refuses namespaces to this user, and what to do.

    Args:
        number: errno of the refusal.
        root: another root of the file system, for tests.
    """

    def setting(name: str) -> str:
        with contextlib.suppress(OSError):
            return (root / "proc/sys" / name).read_text().strip()
        return ""

    if setting("kernel/unprivileged_userns_clone") == "0":
        return "'sysctl -w kernel.unprivileged_userns_clone=1' as root allows it, or run as root"
    if setting("user/max_user_namespaces") == "0":
        return "'sysctl -w user.max_user_namespaces=10000' as root allows it, or run as root"
    if setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return "'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0' as root allows it, or run as root"
    if number == errno.ENOSPC:
        return "there are too many namespaces; see /proc/sys/user/max_*_namespaces"
    if number in (errno.EINVAL, errno.ENOSYS):
        return "the kernel has no such namespaces (CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_NET_NS); run as root"
    return "a container that forbids it needs '--privileged'; elsewhere run as root"


def enter(
    environment: Mapping[str, str] | None = None,
    inside: Callable[[int], None] | None = None,
    ended: Callable[[], None] | None = None,
) -> None:
    """Go on as root of namespaces of its own, in a child of this process, which itself only waits from here on.

    To be called while the process has one thread. In the child temporary files go to :data:`PRIVATE_TEMPORARY`.

    Args:
        environment: variables to set in the child.
        inside: called in the waiting process with the number of a process that is inside for as long as the
            laboratory lives (for nsenter).
        ended: called in the waiting process when everything inside has ended.

    Raises:
        LaboratoryError: this machine or this user cannot have them; the message says what to do.
    """
    if reason := missing_prerequisite():
        raise LaboratoryError(f"no laboratory: {reason}")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    own_pids = _proc_can_be_mounted()
    _unshare()
    try:
        _private_mounts()
        if own_pids:
            _call("unshare", _CLONE_NEWPID)
    except OSError as error:
        raise LaboratoryError(f"no laboratory: {error.strerror}: {refusal(error.errno or 0)}") from error
    child = _fork()
    if child:
        if inside is not None:
            inside(child)
        _wait_and_end(child, ended)
    if own_pids:
        # The waiting process keeps its /proc, where it finds the numbers that the others have outside.
        _call("unshare", _CLONE_NEWNS)
        _call("mount", b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, None)
        worker = _fork()
        if worker:
            _collect(worker)
    os.environ.update({"TMPDIR": str(PRIVATE_TEMPORARY), "PATH": _search_path(), **(environment or {})})
    tempfile.tempdir = None


def command(process: int, *arguments: str) -> list[str]:
    """The command line that runs something in the namespaces of a process that is inside some.

    Args:
        process: its number.
        arguments: the command.
    """
    spaces = ["--mount", "--net"]
    own, other = Path("/proc/self/ns"), Path(f"/proc/{process}/ns")
    for name, option in (("user", "--user"), ("pid", "--pid")):
        if os.readlink(own / name) != os.readlink(other / name):
            spaces.append(option)
    return [
        *("nsenter", "--target", str(process), "--preserve-credentials", "--wd=.", *spaces, "--"),
        *("env", f"TMPDIR={PRIVATE_TEMPORARY}", f"PATH={_search_path()}", *arguments),
    ]


def join(process: int) -> None:
    """Go on in the user and mount namespaces of a process that is inside; to be called while there is one thread.

    Raises:
        LaboratoryError: this user may not, or the process is gone.
    """
    try:
        for name, flag in (("user", _CLONE_NEWUSER), ("mnt", _CLONE_NEWNS)):
            other = f"/proc/{process}/ns/{name}"
            if os.readlink(other) != os.readlink(f"/proc/self/ns/{name}"):
                descriptor = os.open(other, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    _call("setns", descriptor, flag)
                finally:
                    os.close(descriptor)
    except OSError as error:
        raise LaboratoryError(f"cannot enter the laboratory: {error.strerror}") from error


def _search_path() -> str:
    """PATH, with the folders of the administrator's programs, which are not in everybody's."""
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    return os.pathsep.join(dict.fromkeys([*folders, *_FOLDERS]))


def _call(name: str, *arguments: object) -> None:
    """One function of the C library that returns 0 or sets errno."""
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _unshare() -> None:
    """New mount and network namespaces; with a new user namespace where this user may not have them otherwise."""
    user, group = os.geteuid(), os.getegid()
    flags = _CLONE_NEWNS | _CLONE_NEWNET
    if user == 0:
        with contextlib.suppress(OSError):
            _call("unshare", flags)
            return
    try:
        _call("unshare", flags | _CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError as error:
        raise LaboratoryError(
            f"no laboratory: this user may not make namespaces: {refusal(error.errno or 0)}"
        ) from error


def _private_mounts() -> None:
    """/run in memory, for names of network namespaces and everything temporary; /dev, /tmp and all else as outside."""
    _call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    # Some systems find their programs through links in /run.
    links = {entry.name: os.readlink(entry) for entry in RUN.iterdir() if entry.is_symlink()} if RUN.is_dir() else {}
    _call("mount", b"tmpfs", str(RUN).encode(), b"tmpfs", _MS_NOSUID | _MS_NODEV, b"mode=755,size=64m")
    for name, target in links.items():
        os.symlink(target, RUN / name)
    PRIVATE_TEMPORARY.mkdir(mode=0o700)


def _proc_can_be_mounted() -> bool:
    """Try in a child that ends at once: there is no way back from a PID namespace without a /proc of its own."""
    probe = os.fork()
    if probe:
        return os.waitpid(probe, 0)[1] == 0
    status = 1
    try:
        _unshare()
        _call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
        _call("unshare", _CLONE_NEWPID)
        first = os.fork()
        if not first:
            _call("mount", b"proc", b"/proc", b"proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, None)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
    except (OSError, LaboratoryError):
        pass
    finally:
        os._exit(min(abs(status), 1))


def _fork() -> int:
    """Fork; the child gets SIGKILL when its parent ends."""
    # The reading end is at its end of file as soon as the parent is gone: the request below may come too late for it.
    read_end, write_end = os.pipe()
    child = os.fork()
    if child:
        os.close(read_end)
        return child  # the writing end stays open for as long as this process lives
    os.close(write_end)
    _call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.set_blocking(read_end, False)
    try:
        if not os.read(read_end, 1):
            os._exit(1)
    except BlockingIOError:
        pass
    os.close(read_end)
    return 0


def _hand_signals_on(child: int) -> None:
    """Ctrl-C reaches every process of a terminal by itself; what is sent to this one alone is meant for the worker."""

    def hand_on(number: int, frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, hand_on)


def _end_as(status: int) -> NoReturn:
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _wait_and_end(child: int, ended: Callable[[], None] | None) -> NoReturn:
    _hand_signals_on(child)
    _process, status = os.waitpid(child, 0)
    if ended is not None:
        ended()
    _end_as(status)


def _collect(worker: int) -> NoReturn:
    """The first process of the PID namespace: whatever loses its parent becomes its child."""
    _hand_signals_on(worker)
    while True:
        process, status = os.wait()
        if process == worker:
            _end_as(status)
