"""The gateway as an ASGI application: calls below /v1, a few pages beside them."""
