"""What an algorithm, a group, a mode, a parameter or a piece of advice is, and what it is worth on a measured box.

Facts of algorithms come from :mod:`ipsecbench.algorithms`, what is allowed from the policies, figures from a dataset;
what neither has (a parameter, a name that is no algorithm, a saying) is data beside this module. Pure: no clock and no
randomness of its own.
"""
