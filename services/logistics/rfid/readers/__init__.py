"""Readers of gates: who they are, what they may say, the loops that listen to them, and the lamp that they switch.

A reader is a ``Reader`` of a gate. Those that speak LLRP are asked by the loop ``readers`` of the worker, which holds a lease
on each; HTTP and MQTT gateways hand their reads in. All of it goes into one stream, keyed by the gate.
"""
