"""Data planes: what carries ESP packets once IKE has agreed on keys."""
