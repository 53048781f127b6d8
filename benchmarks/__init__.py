"""Benchmarks: one file per question, each runs alone and prints value, spread and conditions."""
