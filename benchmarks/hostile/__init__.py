"""What strangers, full disks and damaged files can do to a folder of pictures, and what must hold all the same.

Run by ``hostile_tests``.
"""
