"""What was measured through tunnels: iperf3, netbenches, tables of tunnels; and what their words mean."""
