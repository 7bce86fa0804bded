"""What a person sees of a tuning: tables, curves and previews while it runs, a sheet and a page at its end."""
