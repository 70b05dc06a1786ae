"""The command line: the only place that prints, reads arguments and exits.

Exit codes: 0 ok, 1 error, 2 usage, 3 policy or threshold not met, 4 measured but unstable, 5 correctness failed,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; every error of ours becomes one line on standard error and its exit code."""
    # numpy brings a library for matrices, which starts a thread for every processor; nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from ipsecbench.errors import IpsecbenchError

    if getattr(sys, "stdout", None) is None:
        # Closed by whoever started us: what would be said there is for nobody, and files are written all the same.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    try:
        from ipsecbench.cli.app import app

        app(standalone_mode=True)
        code = 0
    except IpsecbenchError as error:
        print(f"ipsecbench: {_on_one_line(str(error))}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        print("ipsecbench: interrupted", file=sys.stderr)
        from ipsecbench.cli.exit_codes import EXIT_INTERRUPTED

        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe has seen enough; nothing more can be said on standard output.
        _discard_output()
        code = 0
    except OSError as error:
        if error.filename is not None:
            print(f"ipsecbench: {_on_one_line(f'{error.filename}: {error.strerror}')}", file=sys.stderr)
        else:
            # No file's: standard output itself cannot be written, such as on a full disk.
            _discard_output()
            print(f"ipsecbench: cannot write the output: {error.strerror or error}", file=sys.stderr)
        code = 1
    sys.exit(code)


def _discard_output() -> None:
    """Let the interpreter flush what is left of standard output into nothing when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _on_one_line(message: str) -> str:
    """A message without line breaks and without what would steer the terminal: names in it are of others."""
    plain = " ".join(message.split())
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in plain)
