"""Long-lived answers: one asyncio process that follows the broker and serves server-sent events and WebSockets.

It keeps nothing: what a listener missed while it was away is in the services, and webhooks do not go through here. Who asks
is told by a bearer token or by a ticket of identity's; what he may see is asked of logistics' database with his own eyes.
"""
