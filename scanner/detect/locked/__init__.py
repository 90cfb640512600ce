"""Secrets behind a passphrase: what locks them, what a guess costs, and what anybody can open."""
