"""The key holder: it alone can open a sealed score, and it answers yes or no.

``client`` is the only room the server enters; ``core.KeyHolder`` is the same behaviour without a network.
"""
