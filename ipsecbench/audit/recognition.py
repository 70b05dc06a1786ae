"""What kind of text something is, by its content, and the reader for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ipsecbench.audit.configuration import Child, Configuration, Connection, Format
from ipsecbench.audit.ike_scan import read_ike_scan
from ipsecbench.audit.libreswan import read_libreswan
from ipsecbench.audit.strongswan_conf import read_strongswan
from ipsecbench.audit.strongswan_proposals import parse_offer
from ipsecbench.audit.swanctl import read_swanctl
from ipsecbench.audit.text import MOST_CHARACTERS, printable
from ipsecbench.audit.values import listed
from ipsecbench.errors import UsageError

_IKE_SCAN = re.compile(r"^Starting ike-scan|Handshake returned|^\S+[\t ]+Notify message \d+ \(", re.MULTILINE)
_IPSEC_CONF = re.compile(r"^(?:conn[\t ]+\S|config[\t ]+setup)", re.MULTILINE)
_SETTINGS = re.compile(r"^[\t ]*[^\s#{}=][^#{}=\n]*\{", re.MULTILINE)
_LIBRESWAN_WORDS = re.compile(
    r"^[\t ]+(?:ike|esp|phase2alg)[\t ]*=[^\n#]*(?:;|_gcm|aes_|\bdh\d|sha2[_;]|sha2$|\+)|"
    r"^[\t ]+(?:ikev2|phase2|phase2alg|salifetime|ipsec-lifetime|ipsec-max-\w+|aggrmode|sha2-truncbug|esn|"
    r"nat-ikev1-method|encapsulation|plutodebug|ikev1-policy|dnssec-enable|virtual-private|"
    r"(?:left|right)ckaid|narrowing|ppk|intermediate)[\t ]*=|"
    r"^[\t ]+authby[\t ]*=[^\n#]*(?:,|\||-sha|null|eddsa)",
    re.MULTILINE,
)
_STRONGSWAN_WORDS = re.compile(
    r"^[\t ]+(?:ike|esp|ah)[\t ]*=[^\n#]*!|"
    r"^[\t ]+(?:charondebug|margintime|(?:left|right)firewall|(?:left|right)auth2?|(?:left|right)hostaccess|"
    r"installpolicy|inactivity|closeaction|lifebytes|lifepackets|marginbytes|marginpackets|sha256_96|forceencaps|"
    r"eap_identity|aaa_identity|xauth_identity|strictcrlpolicy|cachecrls|reqid|tfc|mediation)[\t ]*=",
    re.MULTILINE,
)

READERS: Mapping[Format, Callable[[str], Configuration]] = {
    Format.SWANCTL: read_swanctl,
    Format.STRONGSWAN: read_strongswan,
    Format.LIBRESWAN: read_libreswan,
    Format.IKE_SCAN: read_ike_scan,
}
"""The reader for each format of files."""


def recognise(text: str) -> Format | None:
    """What a text is; None where it is no configuration that can be read here, perhaps a proposal."""
    if _IKE_SCAN.search(text):
        return Format.IKE_SCAN
    if _IPSEC_CONF.search(text):
        libreswan, strongswan = len(_LIBRESWAN_WORDS.findall(text)), len(_STRONGSWAN_WORDS.findall(text))
        return Format.LIBRESWAN if libreswan > strongswan else Format.STRONGSWAN
    return Format.SWANCTL if _SETTINGS.search(text) else None


def read(text: str, wanted: Format | None = None) -> Configuration:
    """Read a text as what it is, or as what it is said to be.

    Raises:
        UsageError: it cannot be read; where it has lines, the message begins with the number of the line.
    """
    if len(text) > MOST_CHARACTERS:
        raise UsageError(f"more than {MOST_CHARACTERS} characters: no configuration is that long")
    found = wanted or recognise(text)
    if found is None or found is Format.PROPOSALS:
        return read_proposals(text)
    configuration = READERS[found](text)
    if not configuration.connections and found is not Format.IKE_SCAN:
        raise UsageError(f"there is no connection in it (read as {found})")
    return configuration


def read_proposals(text: str) -> Configuration:
    """``IKE``, ``IKE/ESP`` or ``/ESP``, each of them proposals in strongSwan's spelling, separated by commas.

    Raises:
        UsageError: a word is unknown, or what a proposal needs is missing.
    """
    line = text.strip().removesuffix("!")
    if not line or "\n" in line:
        raise UsageError(
            "neither a proposal, such as aes256-sha256-modp2048/aes256-sha256, nor a swanctl.conf, an ipsec.conf or "
            "what ike-scan prints"
        )
    ike, slash, esp = line.partition("/")
    offers = tuple(parse_offer(part.removesuffix("!"), ike=True) for part in listed(ike))
    child_offers = tuple(parse_offer(part, ike=False) for part in listed(esp))
    if not (child_offers if slash else offers):
        raise UsageError("a proposal is missing beside '/'")
    children = (Child("phase 2", None, child_offers),) if child_offers else ()
    return Configuration(Format.PROPOSALS, (Connection(printable(line), None, offers=offers, children=children),))
