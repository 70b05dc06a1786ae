"""The exchanges of IKEv2, one module each: what they send, and what they make of the answer."""
