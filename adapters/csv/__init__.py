"""Agencies that drop CSV files, and those that want them dropped."""
