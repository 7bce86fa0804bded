"""The course of a tuning: prompts, the second loss, updates, and the state that a killed run goes on from."""
