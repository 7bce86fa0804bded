"""Vectors of prompts: made by a network that knows sentences or given, kept on disk, made further where work broke off."""
