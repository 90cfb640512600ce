"""Keys as text: PEM, JSON, XML, what programs print, and base64 of any of it."""
