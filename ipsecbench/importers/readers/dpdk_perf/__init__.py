"""Output of dpdk-test-crypto-perf, for people and as CSV: throughput, latency and cycles of a driver.

What it times, read in its source (DPDK, app/test-crypto-perf): one core keeps a device's queue full in bursts and
takes the results back; the rate is of all of them by the time stamp counter. Key and session are set up beforehand.
The status of what comes back is not looked at. With several cores each prints a line of its own.
"""

from ipsecbench.importers.readers.dpdk_perf.reader import FORMAT

__all__ = ["FORMAT"]
