"""A small imitation of a WebUI's ``modules`` package: the order of calls and the conventions of three hosts, no model.

Written from the behaviour of the hosts; ``convention.HOST`` says whose. Tests put this folder's parent on ``sys.path``.
"""
