"""Pages on which people annotate: routes over the service, and what browsers load. No decision about answers is made here."""
