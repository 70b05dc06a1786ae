"""Trials of a data plane in the laboratory, after RFC 2544 and draft-ietf-bmwg-ipsec-meth: see docs/lab-trials.md."""
