"""Build hook: compile the agent and put it into the wheel beside the Python package.

Without a C compiler the wheel is built without the agent; ``ipsecbench`` then says so when it is asked to measure.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AgentBuildHook(BuildHookInterface[Any]):
    """Compile ``agent/`` with the box's own make and C compiler."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the agent and add it to the wheel under ``ipsecbench/agent/bin``."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        if shutil.which("make") is None or not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
            print("ipsecbench: no make or no C compiler: built without the agent", file=sys.stderr)
            return
        subprocess.run(["make", "--silent", "-C", str(root / "agent"), "all"], check=True)
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
        if version != "editable":
            built = root / "agent" / "build" / "ipsecbench-agent"
            build_data["force_include"][str(built)] = "ipsecbench/agent/bin/ipsecbench-agent"
