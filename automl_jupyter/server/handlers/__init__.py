"""The handlers: each parses, awaits one service call, serialises."""
