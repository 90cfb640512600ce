"""The command line: parses, wires and shows, and decides nothing."""
