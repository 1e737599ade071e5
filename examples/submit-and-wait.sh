#!/bin/bash
# Usage: submit-and-wait.sh JOB.SH [OPTION…]
# Submits a job to this host's batch system, whatever that is, waits for its end, and ends with its exit code.
set -euo pipefail

job=$(vse submit "$@")
echo "job $job"
vse ps
code=0
vse wait "$job" || code=$?
echo "job $job ended with $code"
exit "$code"
