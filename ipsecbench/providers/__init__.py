"""Cryptographic libraries behind one interface, admitted only after they have given the right known answers.

``interface`` is what a provider can do; ``pyca`` and ``pycryptodome`` are the adapters of two libraries; ``catalogue``
says what there is here and admits it; ``workloads`` makes the loops that the engine times. Importing this package
imports no library: the adapters do when they are built.
"""
