"""What is kept and where pictures go: options, plan, rules, destinations."""
