"""Disks of the host: which there are, how full they are, when they will be full."""
