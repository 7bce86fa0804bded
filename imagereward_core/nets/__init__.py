"""Networks in plain torch. No files, no network access, no prompts as text; nothing of ours is imported from outside this room."""
