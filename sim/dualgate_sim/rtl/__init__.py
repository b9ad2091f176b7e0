"""The RTL, compiled by Verilator and driven through its command stream."""
