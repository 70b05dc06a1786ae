"""The command line: the only place that prints, reads arguments and exits.

Exit codes: 0 ok, 1 error, 2 usage, 3 policy or threshold not met, 4 measured but unstable, 5 correctness failed,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

EXIT_INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line; every error of ours becomes one line on standard error and its exit code."""
    from ipsecbench.cli.app import app
    from ipsecbench.errors import IpsecbenchError

    try:
        app(standalone_mode=True)
        code = 0
    except IpsecbenchError as error:
        print(f"ipsecbench: {_on_one_line(str(error))}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        print("ipsecbench: interrupted", file=sys.stderr)
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe has seen enough; nothing more can be said on standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _on_one_line(message: str) -> str:
    """A message without line breaks and without what would steer the terminal: names in it are of others."""
    plain = " ".join(message.split())
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in plain)
