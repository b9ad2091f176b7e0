"""What travels below the commands: the contract of each link, for host and gateware."""
