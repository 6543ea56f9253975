"""Losses, as functions (offered by `minigrad.nn.functional`) and as modules."""
