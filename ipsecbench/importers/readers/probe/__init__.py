"""What ``ipsecbench probe-script`` prints on a box."""
