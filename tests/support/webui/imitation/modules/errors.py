"""Errors the host swallowed."""

import sys

reported = []


def report(message, *, exc_info=False):
    reported.append((message, sys.exc_info()[1]))


def display(error, task):
    reported.append((task, error))
