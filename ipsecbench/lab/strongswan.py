"""strongSwan as a peer: its daemon in a namespace, told what to do over VICI.

Connections and secrets are given as nested dictionaries with the names of swanctl.conf and go straight to the daemon:
no configuration file with a secret is ever written. The daemon uses the userspace ESP of its kernel-libipsec plugin,
which needs nothing of the kernel but a TUN device; it always encapsulates ESP in UDP and therefore always says that it
is behind a NAT.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ipsecbench.errors import LaboratoryError
from ipsecbench.lab.namespaces import Host, private_folder
from ipsecbench.lab.vici import Section, Vici

DAEMON = Path("/usr/sbin/charon-systemd")
PLUGINS_DIRECTORY = Path("/usr/lib/ipsec/plugins")

# fmt: off
PLUGINS = (
    "random", "nonce", "openssl", "aes", "sha1", "sha2", "md5", "hmac", "kdf", "ctr", "ccm", "gcm", "chapoly",
    "cmac", "xcbc", "curve25519", "gmp", "mgf1", "gcrypt", "pem", "pkcs1", "pkcs7", "pkcs8", "pkcs12", "x509",
    "pubkey", "constraints", "kernel-libipsec", "kernel-netlink", "socket-default", "vici", "updown",
)
# fmt: on
"""What a daemon of the laboratory loads. openssl goes first: with its legacy provider it has everything but
AES-XCBC, CCM in IKE, Twofish and Serpent (gcrypt)."""

_START_TIMEOUT_SECONDS = 15.0
_STOP_TIMEOUT_SECONDS = 5.0
_ANSWER_TIMEOUT_SECONDS = 10.0
_MARK = 0x42


@dataclass(frozen=True)
class PeerChildSa:
    """A Child SA (IKEv1: an IPsec SA) as strongSwan lists it."""

    name: str
    unique_id: int
    state: str
    mode: str
    spi_in: str
    """The SPI that strongSwan receives on, eight hex digits; empty where there is none yet."""
    spi_out: str
    encryption: str
    """strongSwan's name with the key length, as in ``AES_CBC-128``."""
    integrity: str
    key_exchange: str
    """The group of PFS; empty without."""
    extended_sequence_numbers: bool
    bytes_in: int
    bytes_out: int
    packets_in: int
    packets_out: int
    local_selectors: tuple[str, ...]
    remote_selectors: tuple[str, ...]


@dataclass(frozen=True)
class PeerIkeSa:
    """An IKE SA as strongSwan lists it."""

    name: str
    unique_id: int
    version: int
    state: str
    is_initiator: bool
    spi_i: str
    spi_r: str
    """SPIs as sixteen hex digits."""
    local_id: str
    remote_id: str
    remote_host: str
    remote_port: int
    encryption: str
    integrity: str
    """Empty for an AEAD."""
    prf: str
    key_exchange: str
    nat_local: bool
    nat_remote: bool
    children: tuple[PeerChildSa, ...]


def missing_prerequisite(program: Path = DAEMON) -> str | None:
    """Why strongSwan cannot run here, or None where it can."""
    if not program.exists():
        return f"no {program}: install the packages charon-systemd and strongswan-swanctl"
    for plugin in ("kernel-libipsec", "gcrypt", "xcbc"):
        if program == DAEMON and not (PLUGINS_DIRECTORY / f"libstrongswan-{plugin}.so").exists():
            return (
                f"strongSwan has no plugin '{plugin}': install libcharon-extra-plugins and libstrongswan-extra-plugins"
            )
    if not Path("/dev/net/tun").exists():
        return "no /dev/net/tun"
    return None


class StrongSwan:
    """One daemon in one host, from ``with`` to the end of its block."""

    def __init__(
        self,
        host: Host,
        *,
        program: Path = DAEMON,
        plugins: Sequence[str] = PLUGINS,
        options: Section | None = None,
        log_levels: Mapping[str, int] | None = None,
        patience: float = 1.0,
    ) -> None:
        """
        Args:
            host: where it runs.
            program: charon-systemd; another one than the system's brings its own plugins.
            plugins: what it loads.
            options: of strongswan.conf, below ``charon-systemd``, as nested dictionaries; over the defaults.
            log_levels: by subsystem (``ike``, ``chd``, ``enc``, …); 4 writes keys into the log.
            patience: factor for every time that is waited, on a slow machine.
        """
        self.host = host
        self._program = program
        self._plugins = tuple(plugins)
        self._options = dict(options or {})
        self._log_levels = {"default": 1, **(log_levels or {})}
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = Path()
        self._vici: Vici | None = None

    def __enter__(self) -> Self:
        """Start the daemon and wait until it answers.

        Raises:
            LaboratoryError: it is not installed, ended at once, or does not answer.
        """
        if reason := missing_prerequisite(self._program):
            raise LaboratoryError(f"no strongSwan: {reason}")
        # A short path of mode 0700: the log may hold keys, and a Unix socket's path is limited to 107 bytes.
        self._directory = private_folder()
        try:
            self._write_settings()
            self._process = self.host.start(
                str(self._program), environment={"STRONGSWAN_CONF": str(self._directory / "strongswan.conf")}
            )
            self._vici = self._connect()
            # The socket is there before everything is loaded; the first answer comes afterwards.
            self._vici.request("version")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def log(self) -> str:
        """What the daemon has logged so far."""
        with contextlib.suppress(OSError):
            return (self._directory / "log").read_text(errors="replace")
        return ""

    @property
    def process_id(self) -> int:
        """Number of the daemon's process."""
        if self._process is None:
            raise LaboratoryError("strongSwan is not running")
        # setpriv and ip, which started it, have become it by exec.
        return self._process.pid

    def kill(self) -> None:
        """End it as by a crash: no word to its peers. What it left in its host stays there."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def control_socket(self) -> Path:
        """Where it takes orders, for further control connections and for swanctl (``--uri unix://PATH``)."""
        return self._directory / "vici"

    @property
    def processor_seconds(self) -> float:
        """Processor time of the daemon so far, user and system."""
        if self._process is None:
            return 0.0
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def vici(self) -> Vici:
        """The control connection, for commands that have no method here."""
        if self._vici is None:
            raise LaboratoryError("strongSwan is not running")
        if self._vici.broken:
            self._vici.close()
            self._vici = self._connect()
        return self._vici

    # ── configuration ────────────────────────────────────────────────────────────────────────────────────────────

    def load(self, name: str, connection: Section) -> None:
        """Load a connection; the same name again replaces it. Names and values are those of swanctl.conf."""
        self.vici.request("load-conn", {name: connection})

    def unload(self, name: str) -> None:
        """Forget a connection. Its SAs stay."""
        self.vici.request("unload-conn", {"name": name})

    def load_shared_key(self, secret: bytes | str, *owners: str, kind: str = "IKE") -> None:
        """Load a pre-shared key, or with kind ``PPK`` a post-quantum one, for these identities (none: for all)."""
        self.vici.request("load-shared", {"type": kind, "data": secret, "owners": list(owners)})

    def load_certificate(self, certificate: bytes, *, authority: bool = False) -> None:
        """Load an X.509 certificate, DER or PEM; with ``authority`` as a trust anchor or an intermediate."""
        self.vici.request("load-cert", {"type": "X509", "flag": "CA" if authority else "NONE", "data": certificate})

    def load_private_key(self, key: bytes) -> None:
        """Load a private key: PKCS #8 or the key's own format, DER or PEM."""
        self.vici.request("load-key", {"type": "any", "data": key})

    def forget_credentials(self) -> None:
        """Forget every secret, key and certificate that was loaded."""
        self.vici.request("clear-creds")
        self.vici.request("flush-certs", {"type": "any"})

    # ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────

    def initiate(self, ike: str, child: str | None = None, *, timeout_seconds: float = 5.0) -> None:
        """Initiate and wait until it is up.

        Args:
            ike: name of the connection.
            child: name of the Child SA; None for the IKE SA alone.
            timeout_seconds: how long to wait; 0 orders it and returns at once.

        Raises:
            LaboratoryError: it did not come up; the message is strongSwan's.
        """
        timeout_seconds *= self._patience
        timeout = int(timeout_seconds * 1000) or -1
        message: dict[str, Any] = {"ike": ike, "timeout": timeout, "loglevel": 0}
        if child is not None:
            message["child"] = child
        self.vici.stream("initiate", "control-log", message, timeout_seconds=timeout_seconds)

    def rekey_ike(self, ike: str) -> None:
        """Order a rekey of the IKE SA of this connection (IKEv1: a new one)."""
        self.vici.request("rekey", {"ike": ike})

    def rekey_child(self, child: str) -> None:
        """Order a rekey of the Child SA of this name."""
        self.vici.request("rekey", {"child": child})

    def terminate_ike(self, ike: str, *, force: bool = False, timeout_seconds: float = 5.0) -> None:
        """Delete the IKE SAs of a connection; forced, also when the peer has not answered after the timeout."""
        self._terminate({"ike": ike, "force": force}, timeout_seconds)

    def terminate_child(self, child: str, *, timeout_seconds: float = 5.0) -> None:
        """Delete the Child SAs of this name."""
        self._terminate({"child": child}, timeout_seconds)

    def _terminate(self, message: dict[str, Any], timeout_seconds: float) -> None:
        timeout_seconds *= self._patience
        timeout = int(timeout_seconds * 1000) or -1
        message |= {"timeout": timeout, "loglevel": 0}
        self.vici.stream("terminate", "control-log", message, timeout_seconds=timeout_seconds)

    # ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────

    def ike_sas(self, name: str | None = None) -> list[PeerIkeSa]:
        """Its IKE SAs, of one connection or all, with their Child SAs."""
        found = self.vici.stream("list-sas", "list-sa", {"ike": name} if name else {})
        return [_ike_sa(connection, sa) for event in found for connection, sa in event.items()]

    def wait_for(self, condition: Callable[[list[PeerIkeSa]], bool], timeout_seconds: float = 5.0) -> list[PeerIkeSa]:
        """Its IKE SAs as soon as they meet a condition.

        Raises:
            LaboratoryError: they do not in time.
        """
        timeout_seconds *= self._patience
        deadline = time.monotonic() + timeout_seconds
        while True:
            sas = self.ike_sas()
            if condition(sas):
                return sas
            if time.monotonic() > deadline:
                raise LaboratoryError(f"strongSwan's SAs are not as expected after {timeout_seconds} s: {sas}")
            time.sleep(0.01)

    def algorithms(self) -> dict[str, dict[str, str]]:
        """Kind → name → the plugin that has it, for everything that the daemon can do."""
        return self.vici.request("get-algorithms")

    # ── the process ──────────────────────────────────────────────────────────────────────────────────────────────

    def _write_settings(self) -> None:
        settings = {
            "load": " ".join(self._plugins),
            "retransmit_tries": 3,
            "retransmit_timeout": 0.5,
            "retransmit_base": 1.5,
            # Twofish and Serpent have numbers of the private range only, which no peer but strongSwan could use.
            "accept_private_algs": True,
            "filelog": {"log": {"path": str(self._directory / "log"), "flush_line": True, **self._log_levels}},
            # The journal is the system's, not ours.
            "journal": {"default": -1},
            **self._options,
        }
        plugins = {
            "vici": {"socket": f"unix://{self._directory / 'vici'}"},
            "openssl": {"load_legacy": True},
            # With a mark on its own packets a selector may cover the peer itself, and IKE still goes around the tunnel.
            "kernel-libipsec": {"allow_peer_ts": True},
            "kernel-netlink": {"fwmark": f"!{_MARK:#x}"},
            "socket-default": {"fwmark": f"{_MARK:#x}"},
            **dict(self._options.get("plugins", {})),
        }
        text = _settings({"charon-systemd": {**settings, "plugins": plugins}})
        path = self._directory / "strongswan.conf"
        path.touch(mode=0o600)
        path.write_text(text)

    def _connect(self) -> Vici:
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS * self._patience
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                raise LaboratoryError(f"strongSwan ended at once: {self.log.strip()[-500:] or 'nothing logged'}")
            with contextlib.suppress(OSError):
                return Vici(self._directory / "vici", _ANSWER_TIMEOUT_SECONDS * self._patience)
            time.sleep(0.02)
        raise LaboratoryError(f"strongSwan does not answer after {_START_TIMEOUT_SECONDS:.0f} s")

    def _stop(self) -> None:
        if self._vici is not None:
            self._vici.close()
            self._vici = None
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        shutil.rmtree(self._directory, ignore_errors=True)


def _settings(section: Section, indent: str = "") -> str:
    """Nested dictionaries in the syntax of strongswan.conf."""
    lines: list[str] = []
    for name, value in section.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}{name} {{\n{_settings(value, indent + '  ')}{indent}}}\n")
        else:
            lines.append(f"{indent}{name} = {('yes' if value else 'no') if isinstance(value, bool) else value}\n")
    return "".join(lines)


def _ike_sa(name: str, sa: Mapping[str, Any]) -> PeerIkeSa:
    return PeerIkeSa(
        name=name,
        unique_id=int(sa["uniqueid"]),
        version=int(sa["version"]),
        state=sa["state"],
        is_initiator=sa.get("initiator") == "yes",
        spi_i=sa["initiator-spi"],
        spi_r=sa["responder-spi"],
        local_id=sa.get("local-id", ""),
        remote_id=sa.get("remote-id", ""),
        remote_host=sa["remote-host"],
        remote_port=int(sa["remote-port"]),
        encryption=_with_key_length(sa),
        integrity=sa.get("integ-alg", ""),
        prf=sa.get("prf-alg", ""),
        key_exchange=sa.get("dh-group", ""),
        nat_local=sa.get("nat-local") == "yes",
        nat_remote=sa.get("nat-remote") == "yes",
        children=tuple(_child_sa(child) for child in sa.get("child-sas", {}).values()),
    )


def _child_sa(child: Mapping[str, Any]) -> PeerChildSa:
    return PeerChildSa(
        name=child["name"],
        unique_id=int(child["uniqueid"]),
        state=child["state"],
        mode=child.get("mode", ""),
        spi_in=child.get("spi-in", ""),
        spi_out=child.get("spi-out", ""),
        encryption=_with_key_length(child),
        integrity=child.get("integ-alg", ""),
        key_exchange=child.get("dh-group", ""),
        extended_sequence_numbers=child.get("esn") in {"1", "yes"},
        bytes_in=int(child.get("bytes-in", 0)),
        bytes_out=int(child.get("bytes-out", 0)),
        packets_in=int(child.get("packets-in", 0)),
        packets_out=int(child.get("packets-out", 0)),
        local_selectors=tuple(child.get("local-ts", ())),
        remote_selectors=tuple(child.get("remote-ts", ())),
    )


def _with_key_length(sa: Mapping[str, Any]) -> str:
    name = str(sa.get("encr-alg", ""))
    return f"{name}-{sa['encr-keysize']}" if sa.get("encr-keysize") else name


@contextlib.contextmanager
def running(*daemons: StrongSwan) -> Iterator[None]:
    """Several daemons at once."""
    with contextlib.ExitStack() as stack:
        for daemon in daemons:
            stack.enter_context(daemon)
        yield
