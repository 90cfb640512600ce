"""Bytes as text: base64, Base58, Bech32, lists and escapes, undone in the shapes memory has."""
