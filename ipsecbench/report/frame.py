"""What every page has in common: its head with the Content-Security-Policy, styles, scripts, the templates' rules."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from ipsecbench import __version__
from ipsecbench.recommend.formats import octets, seconds
from ipsecbench.report import formats

if TYPE_CHECKING:
    from jinja2 import Environment

STYLES = ("report.css",)
"""Style sheets that every page has."""
SCRIPTS = ("frame.js",)
"""Scripts that every page has: copying, sorting and filtering, the data, print."""
_LONGEST_TEXT = 4000


def frame_context(styles: Sequence[str], scripts: Sequence[str]) -> dict[str, Any]:
    """What ``frame.html.j2`` needs, apart from what a page says.

    Args:
        styles: names of the style sheets, in the order in which they apply.
        scripts: names of the scripts; they share one scope, so that a later one can use what an earlier one defines.
    """
    style = Markup("").join(_asset(name) for name in styles)
    script = Markup('"use strict";\n(() => {\n') + Markup("\n").join(map(_asset, scripts)) + Markup("})();\n")
    policy = content_security_policy(style, script)
    return {"style": style, "script": script, "policy": policy, "version": __version__}


def content_security_policy(style: str, script: str) -> str:
    """The policy of a page: nothing may be loaded, and only this style and this script apply."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@cache
def _asset(name: str) -> Markup:
    # A file of this package, not input.
    return Markup(files("ipsecbench.report").joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704


@cache
def environment() -> Environment:
    """The templates with their filters: autoescape is on, and an undefined name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("ipsecbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    names = (
        "rate",
        "rate_interval",
        "duration",
        "duration_interval",
        "span",
        "significant",
        "percent",
        "listing",
        "sentence",
        "signed_percent",
    )
    made.filters.update({name: getattr(formats, name) for name in names})
    made.filters |= {"breakable": _breakable, "octets": octets, "about": seconds, "sortable": _sortable}
    return made


def _finalize(value: object) -> object:
    """The last gate before text is escaped: whatever comes from a dataset is cleaned and bounded here."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return formats.shorten(value, _LONGEST_TEXT)


def _sortable(value: float | str) -> str:
    """What a cell is sorted by, without the digits that decide nothing."""
    return value if isinstance(value, str) else f"{value:.7g}"


def _breakable(text: str) -> Markup:
    """A proposal string that may be broken after its hyphens."""
    parts = [escape(part) for part in formats.shorten(text, 400).split("-")]
    return Markup("-<wbr>").join(parts)
