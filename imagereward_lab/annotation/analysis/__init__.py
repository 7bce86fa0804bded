"""What annotations say: prompts, ratings and problems by category and by share of function phrases, and how far people agree."""
