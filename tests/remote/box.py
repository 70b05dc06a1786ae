"""A box that is reached by ssh: a real server in namespaces of its own, whose files go with its first process.

Its /tmp, /var/tmp, /dev/shm, /run and /etc/passwd are its own; everything else is this machine's, read through mounts
of its own. The client reaches it from inside its network namespace, where there is nothing but loopback.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

PORT = 2222
"""Of a box that nobody says another one of."""
UNPACKED = Path("/var/cache/ipsecbench/unpacked")
_START_SECONDS = 60.0


def sshd() -> str | None:
    """OpenSSH's server: the machine's own, or the unpacked one."""
    return _program("sshd", "openssh-server")


def dropbear() -> str | None:
    """The small server of routers, unpacked."""
    return _program("dropbear", "dropbear-bin")


def _program(name: str, package: str) -> str | None:
    unpacked = UNPACKED / package / "usr/sbin" / name
    return shutil.which(name, path="/usr/sbin:/sbin") or (str(unpacked) if unpacked.exists() else None)


_INIT = """
set -e
mount -t tmpfs none /run
mkdir /run/sshd /run/box
mount --bind "$1" /run/box
mount --bind /run/box/passwd /etc/passwd
for place in /tmp /var/tmp /dev/shm; do
    [ -d $place ] && mount -t tmpfs -o "$2" none $place && chmod 1777 $place
done
[ -z "$4" ] || eval "$4"
ip link set lo up
exec $3
"""

_CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey /run/box/host_key
AuthorizedKeysFile /run/box/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
SetEnv PATH={path}
LogLevel ERROR
"""


def make_key(path: Path) -> None:
    """A new key pair."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


@dataclass
class Box:
    """One box. Use it as a context manager."""

    folder: Path
    """Where its keys and settings are, on this machine."""
    mount_options: str = "size=64m"
    """Of its temporary folders."""
    login_shell: str = "/bin/sh"
    server: str = "sshd"
    path: str = "/usr/bin:/bin"
    """Where its programs are looked for."""
    before: str = ""
    """Shell commands that run inside before the server does."""
    port: int = PORT
    beside: Box | None = None
    """Another box, whose network it shares; None for one of its own."""
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __enter__(self) -> Box:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("host_key", "key"):
            make_key(self.folder / name)
        shutil.copy(self.folder / "key.pub", self.folder / "authorized_keys")
        home = self.folder / "home"
        (home / ".ssh").mkdir(parents=True, exist_ok=True)
        shutil.copy(self.folder / "key.pub", home / ".ssh/authorized_keys")
        (self.folder / "passwd").write_text(
            f"root:x:0:0:root:/run/box/home:{self.login_shell}\nsshd:x:110:65534::/run/sshd:/usr/sbin/nologin\n"
        )
        (self.folder / "sshd_config").write_text(_CONFIGURATION.format(port=self.port, path=self.path))
        self.know_host((self.folder / "host_key.pub").read_text())
        log = open(self.folder / "server.log", "wb")
        self.process = subprocess.Popen(
            [
                *(["unshare", "--net"] if self.beside is None else self.beside.reach("unshare")),
                *("--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
                *("sh", "-c", _INIT, "init", str(self.folder), self.mount_options, self._server(), self.before),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        log.close()
        self._wait()
        return self

    def _server(self) -> str:
        if self.server == "sshd":
            return f"{sshd()} -D -e -f /run/box/sshd_config"
        convert = UNPACKED / "dropbear-bin/usr/bin/dropbearconvert"
        target = self.folder / "dropbear_key"
        subprocess.run(
            ["ssh-keygen", "-q", "-p", "-m", "PEM", "-N", "", "-P", "", "-f", str(self.folder / "host_key")], check=True
        )
        subprocess.run(
            [convert, "openssh", "dropbear", self.folder / "host_key", target], check=True, capture_output=True
        )
        return f"{dropbear()} -F -E -r /run/box/dropbear_key -p 127.0.0.1:{self.port} -P /run/dropbear.pid"

    def __exit__(self, *_: object) -> None:
        self.vanish()

    def know_host(self, public_key: str) -> None:
        """Let the client know a host key for the box."""
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public_key}")

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while subprocess.run(self.inside("true"), capture_output=True, check=False).returncode or not self._listens():
            if time.monotonic() > deadline or (self.process is not None and self.process.poll() is not None):
                raise RuntimeError(f"the box does not start: {(self.folder / 'server.log').read_text()}")
            time.sleep(0.02)

    def _listens(self) -> bool:
        table = Path(f"/proc/{self.init}/net/tcp").read_text()
        return f":{self.port:04X} 00000000:0000 0A" in table

    @property
    def init(self) -> int:
        """The first process of the box, by this machine's number."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid

    def inside(self, *command: str) -> list[str]:
        """The command line that runs something on the box."""
        return ["nsenter", "--target", str(self.init), "--mount", "--net", "--pid", "--", *command]

    def reach(self, *command: str) -> list[str]:
        """The command line that runs something of this machine in the box's network."""
        return ["nsenter", "--target", str(self.init), "--net", "--", *command]

    @property
    def options(self) -> tuple[str, ...]:
        """How ``ipsecbench remote`` reaches it, without the destination."""
        known = f"UserKnownHostsFile={self.folder}/known_hosts"
        return (
            *("--port", str(self.port), "--identity", str(self.folder / "key"), "--batch"),
            *("--ssh", "ssh -F none", "--ssh-option", known, "--ssh-option", "GlobalKnownHostsFile=none"),
            *("--ssh-option", "IdentitiesOnly=yes", "--ssh-option", "IdentityAgent=none"),
        )

    def files(self) -> Sequence[str]:
        """What lies in the box's temporary folders."""
        done = subprocess.run(
            self.inside("sh", "-c", "ls -A /tmp /var/tmp /dev/shm | sed '/:$/d; /^$/d'"), capture_output=True, text=True
        )
        return done.stdout.split()

    def processes(self, word: str) -> list[int]:
        """Processes of the box whose command line has a word, by this machine's numbers."""
        found = []
        space = os.readlink(f"/proc/{self.init}/ns/pid")
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if os.readlink(entry / "ns/pid") == space and word.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def drop_connections(self) -> int:
        """Kill the server's process of every connection; how many there were."""
        # sshd: a privileged process for each connection, which calls itself so; dropbear: a child of the listener.
        found = self.processes("sshd: root") if self.server == "sshd" else self._children()
        for process in found:
            os.kill(process, signal.SIGKILL)
        return len(found)

    def _children(self) -> list[int]:
        return [int(word) for word in Path(f"/proc/{self.init}/task/{self.init}/children").read_text().split()]

    def vanish(self) -> None:
        """Let the box and everything on it go."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
