"""What a box says of itself, without a figure: cpuinfo, lscpu, the kernel's list of ciphers."""
