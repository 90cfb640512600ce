"""Keys and certificates in DER, read strictly."""
