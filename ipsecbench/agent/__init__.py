"""Find the agent, run it, and speak its protocol (docs/agent-protocol.md)."""
