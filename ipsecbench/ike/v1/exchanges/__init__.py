"""The exchanges of IKEv1, one module each: what they send and what they demand of what they receive."""
