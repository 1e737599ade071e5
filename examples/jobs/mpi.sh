#!/bin/bash
#PBS -N mpi
#PBS -l nodes=1:ppn=2,walltime=00:05:00
#VSE image=debian-12-mpi
#VSE vms-per-node=2 vcpus=1 memory=512MiB
# One MPI program on two machines: the node file has a line for each core, which is how Open MPI reads a host file.
# Python speaks MPI here because the image has no compiler; a binary in your home runs the same way.
# The machines have one network, eth0, and no fast interconnect to look for.

program=$(
    cat <<'PYTHON'
from mpi4py import MPI

world = MPI.COMM_WORLD
lines = world.gather(f"rank {world.rank} of {world.size} on {MPI.Get_processor_name()}")
total = world.reduce(world.rank + 1, op=MPI.SUM)
if world.rank == 0:
    print(*lines, f"sum {total}", sep="\n")
PYTHON
)
mpirun --hostfile "$VSE_NODEFILE" --mca pml ob1 --mca btl self,tcp --mca btl_tcp_if_include eth0 \
    --mca oob_tcp_if_include eth0 python3 -c "$program"
