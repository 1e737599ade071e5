#!/bin/bash
#PBS -N python
#PBS -l nodes=1:ppn=1,walltime=00:05:00
#VSE image=debian-12-python
#VSE memory=512MiB
# A program for Python with a package that need not be on the node: NumPy is in the image.

python3 - <<'PYTHON'
import numpy

matrix = numpy.array([[2, 1], [1, 3]])
right = numpy.array([5, 10])
print("solution", *numpy.linalg.solve(matrix, right).round(9))
PYTHON
