"""What the figures in the README are measured with: `make bench`, or `make bench AREA=road` for one issue's part.

Whole processes on loopback, their CPU as the kernel counts it, so that a busy machine makes a figure late but hardly
larger. Each figure is the median of several short rounds, printed with the smallest and the largest. One file measures
one promise; `__main__` runs them and writes `bench/results.json`.
"""
