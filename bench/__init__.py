"""Benchmarks: each a command that prints ratios against something run in the same minute.

Absolute figures of one machine say little, and these machines are shared and noisy.  So whatever is
measured is measured beside something else, in rounds that take turns; the median of the rounds is
shown, with the processor time of the server and of PostgreSQL for one request beside the
throughput.
"""
