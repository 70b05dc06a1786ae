"""The laboratory: two hosts in network namespaces, real peers, real traffic, captures.

Needs root, Linux and iproute2; the peer and the capture need strongSwan and tshark. Nothing here is part of a
protocol: everything under ``ike`` and ``esp`` works without it.
"""
