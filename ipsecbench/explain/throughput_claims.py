"""Claims about which cipher or hash is faster."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ipsecbench.algorithms.limits import BLOCK_64_BYTES
from ipsecbench.algorithms.suites import esp_suites
from ipsecbench.bench.draws import Draws
from ipsecbench.bench.measurement import Estimate, Tier
from ipsecbench.explain.box import Box, Comparison, Figure, interval, quotient
from ipsecbench.explain.verdicts import SURE, Outcome, Verdict, by_chance, rates, ratio_figure, unknown
from ipsecbench.recommend.formats import seconds, significant
from ipsecbench.recommend.prediction.measured_costs import TIER_RANK
from ipsecbench.recommend.requirements.traffic import IMIX, Traffic

HALF_RATE = 0.6
"""Share of the rate below which one speaks of half."""
MATTERS = 1.1
"""Ratio of times from which a choice matters."""
_SIZES = (Traffic(size_bytes=64), Traffic(size_bytes=576), Traffic(size_bytes=1400), IMIX)
_LEAST_BITS = 128
_RECORD_BYTES = 1400
_MISSING = "This needs figures for both, and the dataset lacks one"


def _pair(box: Box | None, one: str, others: tuple[str, ...]) -> Comparison | None:
    """A suite against the first of others that has a figure."""
    if box is None:
        return None
    return next((found for other in others if (found := box.compare_suites(one, other)) is not None), None)


def _first(box: Box | None, pairs: tuple[tuple[str, str], ...]) -> Comparison | None:
    return next((found for one, other in pairs if (found := _pair(box, one, (other,))) is not None), None)


def _how_much(found: Comparison) -> str:
    """``4.2 times as fast``, or the other way round, or that no difference can be seen."""
    if 1 - SURE < found.chance < SURE:
        return f"{found.one} and {found.other} are a tie here ({found.chance:.0%} that the first is faster)"
    ratio, fast, slow = found.ratio.median, found.one, found.other
    if ratio < 1:
        ratio, fast, slow = 1 / ratio, found.other, found.one
    return f"{fast} carries {significant(ratio)} times what {slow} does"


def _key_lasts(box: Box, suite: str) -> str:
    """How long the octets last that NIST allows under one key of a 64-bit block cipher."""
    figure = box.rate(suite)
    if figure is None:
        return ""
    return f" At that rate the 8 MiB that a key of its short blocks may protect last {_life(figure.value)}."


def _life(mbit: Estimate) -> str:
    return seconds(BLOCK_64_BYTES * 8 / (mbit.median * 1e6))


def _faster(box: Box | None, pairs: tuple[tuple[str, str], ...], rest: Callable[[Box, Comparison], str]) -> Outcome:
    """ "The first is faster than the second", by the first pair that both have figures."""
    found = _first(box, pairs)
    if box is None or found is None:
        return unknown(_MISSING)
    answer = f"{_how_much(found)}.{rest(box, found)}"
    return Outcome(by_chance(found.chance), answer, (*rates(box, found.one, found.other), ratio_figure(found)))


def triple_des(box: Box | None) -> Outcome:
    """3DES is faster than AES."""
    pairs = (("3des-sha1", "aes128-sha1"), ("3des-sha256", "aes128-sha256"))
    return _faster(
        box, pairs, lambda box, found: f"{_key_lasts(box, found.one)} Nobody should use it whatever its speed."
    )


def single_des(box: Box | None) -> Outcome:
    """DES is the least secure but the fastest."""
    return _faster(box, (("des-md5", "aes128-md5"),), lambda *_: " The first half is true: it is broken.")


def md5(box: Box | None) -> Outcome:
    """MD5 is faster than SHA1."""
    pairs = (("aes128-md5", "aes128-sha1"), ("null-md5", "null-sha1"))

    def rest(box: Box, found: Comparison) -> str:
        against = box.compare_suites("aes128gcm16", found.one)
        if against is None:
            return " It is MUST NOT in any case."
        better = f" Neither is the way to speed: {_how_much(against)}." if against.chance >= SURE else ""
        return f"{better} HMAC-MD5 is MUST NOT in any case."

    return _faster(box, pairs, rest)


def sha512(box: Box | None) -> Outcome:
    """SHA-512 is slower than SHA-256: the first of the pair is the one said to be faster."""
    pairs = (("aes256-sha256", "aes256-sha512"), ("aes128-sha256", "aes128-sha512"))
    return _faster(box, pairs, lambda *_: " Its ICV is 16 octets longer in each packet.")


def aes256(box: Box | None) -> Outcome:
    """AES-256 halves throughput."""
    if box is None:
        return unknown(_MISSING)
    pairs = (("aes128gcm16", "aes256gcm16"), ("aes128-sha256", "aes256-sha256"))
    shares: list[tuple[str, Draws]] = []
    for short, long in pairs:
        first, second = box.packet_ns(short), box.packet_ns(long)
        if first is not None and second is not None:
            shares.append((long, quotient(first, second)))
    if not shares:
        return unknown(_MISSING)
    bound = Draws.exactly(HALF_RATE)
    chances = [share.chance_below(bound) for _, share in shares]
    verdict = by_chance(min(chances)) if max(chances) <= 1 - SURE or min(chances) >= SURE else Verdict.DEPENDS
    figures = tuple(
        Figure(f"throughput lost by {name}", _percent_lost(interval(share)), "%", box.tier_of(name))
        for name, share in shares
    )
    lost = " and ".join(
        f"{figure.value.median:.1f}% with {name}" for figure, (name, _) in zip(figures, shares, strict=True)
    )
    answer = f"The longer key takes {lost}, of one core that also does everything else for a packet."
    return Outcome(verdict, answer, (*figures, *rates(box, *(name for pair in pairs for name in pair))))


def _percent_lost(share: Estimate) -> Estimate:
    return Estimate(*((1 - part) * 100 for part in (share.median, share.upper, share.lower)))


def _strong_suites(box: Box, traffic: Traffic) -> tuple[str, ...]:
    """Every suite that hides something with at least 128 bits, but for short ICVs; those of the best tier only."""
    tiers = {
        name: tier
        for name, suite in esp_suites().items()
        if suite.encryption.strength_bits >= _LEAST_BITS
        and suite.encryption.mode not in ("null", "gmac")
        and suite.icv_bytes >= (16 if suite.encryption.aead else 12)
        and (tier := box.transform_tier(name, traffic)) is not None
    }
    best = max((TIER_RANK[tier] for tier in tiers.values()), default=0)
    return tuple(name for name, tier in tiers.items() if TIER_RANK[tier] == best)


def gcm(box: Box | None) -> Outcome:
    """GCM always wins."""
    if box is None or box.packet_ns("aes128gcm16") is None:
        return unknown("This needs a figure for aes128gcm16 and for others, and the dataset lacks them")
    lost, tied, figures = [], [], []
    for traffic in _SIZES:
        others = [name for name in _strong_suites(box, traffic) if esp_suites()[name].encryption.mode != "gcm"]
        found = [one for name in others if (one := box.compare_suites("aes128gcm16", name, traffic)) is not None]
        if not found:
            continue
        best = min(found, key=lambda one: (one.ratio.median, one.other))
        figures.append(
            Figure(f"{traffic}: time of {best.other}, the best other, over GCM's", best.ratio, "times", best.tier)
        )
        if best.chance <= 1 - SURE:
            lost.append(f"{best.other} at {traffic}")
        elif best.chance < SURE:
            tied.append(f"{best.other} at {traffic}")
    if not figures:
        return unknown("Only GCM was measured")
    if lost:
        return Outcome(Verdict.FAILS, f"aes128gcm16 loses here to {', '.join(lost)}.", tuple(figures))
    if tied:
        return Outcome(
            Verdict.DEPENDS, f"aes128gcm16 loses nowhere here, but ties with {', '.join(tied)}.", tuple(figures)
        )
    answer = "aes128gcm16 beats every other strong suite here, at each size; without AES instructions expect otherwise."
    return Outcome(Verdict.HOLDS, answer, tuple(figures))


def hardware(box: Box | None) -> Outcome:
    """Hardware AES makes the cipher choice irrelevant."""
    if box is None:
        return unknown("This needs a box")
    if box.has_aes_instructions is not True:
        words = {
            False: "This box has no AES instructions, and the claim is about boxes that have them.",
            None: "The dataset does not say whether this box has AES instructions.",
        }
        return Outcome(Verdict.UNKNOWN, words[box.has_aes_instructions])
    names = [name for name in _strong_suites(box, IMIX) if esp_suites()[name].encryption.name.startswith("aes")]
    timed = sorted((drawn.value, name) for name in names if (drawn := box.packet_ns(name)) is not None)
    if len(timed) < 2:
        return unknown("This needs two suites with AES")
    fast, slow = timed[0][1], timed[-1][1]
    first, second = box.packet_ns(fast), box.packet_ns(slow)
    found = box.compare_suites(fast, slow)
    if first is None or second is None or found is None:
        return unknown(_MISSING)
    chance = Draws.exactly(MATTERS).chance_below(quotient(second, first))
    verdict = Verdict.FAILS if chance >= SURE else Verdict.HOLDS if chance <= 1 - SURE else Verdict.DEPENDS
    answer = (
        f"With AES instructions {_how_much(found)}, though both are AES: the mode and the hash beside it decide."
        if verdict is Verdict.FAILS
        else f"Fastest and slowest of AES are {significant(found.ratio.median)} apart, data plane included."
    )
    return Outcome(verdict, answer, (*rates(box, fast, slow), ratio_figure(found)))


def chacha(box: Box | None) -> Outcome:
    """ChaCha20 is for boxes without AES."""
    found = _pair(box, "chacha20poly1305", ("aes256gcm16", "aes128gcm16"))
    if box is None or found is None:
        return unknown(_MISSING)
    figures = (*rates(box, found.one, found.other), ratio_figure(found))
    has = box.has_aes_instructions
    words = {
        True: "This box has AES instructions",
        False: "This box has no AES instructions",
        None: "The dataset does not say whether this box has AES instructions",
    }[has]
    answer = f"{words}, and {_how_much(found)}."
    if has is None or 1 - SURE < found.chance < SURE:
        return Outcome(Verdict.DEPENDS, answer, figures)
    return Outcome(Verdict.HOLDS if (found.chance >= SURE) is not has else Verdict.FAILS, answer, figures)


def blowfish(box: Box | None) -> Outcome:
    """Blowfish is light."""
    pairs = (("blowfish128-sha1", "aes128-sha1"), ("blowfish256-sha1", "aes256-sha1"))
    return _faster(box, pairs, lambda box, found: f"{_key_lasts(box, found.one)} It is deprecated.")


def no_integrity(box: Box | None) -> Outcome:
    """None is fastest, so use it."""
    unsafe = (
        "Not to be used, whatever it saves: CBC or CTR without integrity lets anyone on the way change packets, and "
        "RFC 8221 forbids it"
    )
    if box is None:
        return Outcome(Verdict.FAILS, f"{unsafe}.")
    bare = box.call_ns("encrypt", "aes128", _RECORD_BYTES)
    whole = box.call_ns("encrypt", "aes128gcm16", _RECORD_BYTES)
    if bare is None or whole is None:
        return Outcome(
            Verdict.FAILS, f"{unsafe}. The dataset has no calls of the ciphers alone to say what it would save."
        )
    ratio = interval(quotient(bare, whole))
    chance = bare.chance_below(whole)
    label = f"time of AES-128-CBC without integrity over AES-128-GCM with it, one call of about {_RECORD_BYTES} octets"
    figure = Figure(label, ratio, "times", Tier.PRIMITIVE)
    if chance <= 1 - SURE:
        saves = (
            f". It is not even faster here: AES-GCM with its ICV takes {significant(100 / ratio.median)}% of the time"
        )
    elif chance >= SURE:
        saves = f". It would save {significant(100 * (1 - ratio.median))}% of the cipher's time against AES-GCM"
    else:
        saves = ". It would save nothing that can be seen against AES-GCM"
    return Outcome(Verdict.FAILS, f"{unsafe}{saves}.", (figure,))


THROUGHPUT_CLAIMS: Mapping[str, Callable[[Box | None], Outcome]] = {
    "3des-beats-aes": triple_des,
    "des-is-fastest": single_des,
    "md5-beats-sha1": md5,
    "sha512-is-slower": sha512,
    "aes256-halves": aes256,
    "gcm-always-wins": gcm,
    "hardware-aes": hardware,
    "chacha20": chacha,
    "blowfish-is-light": blowfish,
    "none-is-fastest": no_integrity,
}
"""By the name of the claim."""
