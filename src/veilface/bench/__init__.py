"""Measurements of the running programs, over HTTP; :mod:`veilface.evaluate` measures within one process.

::

    visitor.py    a browser that nobody is signed in with, on a device that remembers an account
    login.py      face logins: how long they take, and whether refusals can be told apart
    searching.py  a kiosk's searches among any number of people
    filling.py    the gallery for them, in a process of its own
    processes.py  processor time and memory of a running program
    apart.py      whether two series of times can be told apart
"""
