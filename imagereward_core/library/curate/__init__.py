"""Curation: what is kept and where pictures go. Options, plan, rules, destinations."""
