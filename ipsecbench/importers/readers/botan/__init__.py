"""What ``botan speed`` prints."""
