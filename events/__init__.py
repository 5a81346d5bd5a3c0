"""What the services tell each other: one module a speaker, one class an event.

Facts say that something happened and carry what a hearer must know to answer it. A ``…Described`` event carries the whole public
state of one thing with its version: others keep projections of it, and ``haihe republish`` can make the speaker say it again.
"""
