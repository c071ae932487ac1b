"""Runs inside an interpreter with real Caffe: makes a solver, takes four steps.

    python caffe_solver_probe.py SOLVER

Prints for each step by how much the first layer's weights change, and Caffe's log to standard
error. Exits as Caffe does where Caffe aborts.
"""

import sys

import caffe
import numpy


def main():
    caffe.set_mode_cpu()
    caffe.set_random_seed(1)
    solver = caffe.get_solver(sys.argv[1])
    (weights, *_), *_ = solver.net.params.values()
    for _ in range(4):
        before = weights.data.copy()
        solver.step(1)
        print(float(numpy.abs(weights.data - before).max()))


main()
