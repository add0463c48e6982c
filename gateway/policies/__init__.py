"""Resilience around a call: one file, one policy; each knows messages, errors and time, no protocol."""
