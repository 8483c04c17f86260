"""The demo: a real model on this machine, real requests through the official clients, the report."""
