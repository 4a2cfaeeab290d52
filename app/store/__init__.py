"""Redis adapters of the ports declared in `agents.ports`."""
