"""Keys in the own format of one program or system."""
