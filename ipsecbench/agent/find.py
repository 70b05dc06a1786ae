"""Where the agent's executable is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ipsecbench.errors import AgentError

EXECUTABLE = "ipsecbench-agent"
ENVIRONMENT_VARIABLE = "IPSECBENCH_AGENT"
"""Path of an executable to use before any other."""


def agent_path() -> Path:
    """Path of the agent: the environment's, the package's own, the source checkout's, then the one on PATH.

    Raises:
        AgentError: there is none; the message says how to get one.
    """
    named = os.environ.get(ENVIRONMENT_VARIABLE)
    if named is not None:
        path = Path(named)
        if not os.access(path, os.X_OK):
            raise AgentError(f"{ENVIRONMENT_VARIABLE} names {named}, which is not an executable file")
        return path
    package = Path(__file__).resolve().parent
    for path in (package / "bin" / EXECUTABLE, package.parent.parent / "agent" / "build" / EXECUTABLE):
        if os.access(path, os.X_OK):
            return path
    on_path = shutil.which(EXECUTABLE)
    if on_path is not None:
        return Path(on_path)
    raise AgentError(
        "the measuring agent was not built: install a C compiler and make, then reinstall ipsecbench "
        "(or measure with the Python libraries alone: --providers cryptography,pycryptodome)"
    )
