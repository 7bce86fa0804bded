"""Cases of what strangers, full disks and damaged files do to a folder of pictures, with what must hold all the same.

Run by ``hostile_tests``.
"""
