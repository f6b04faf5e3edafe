#!/usr/bin/env bash
# A recipe on several machines of a Slurm cluster. Preempted or out of time it is queued again, and
# goes on from its last checkpoint.
#   mkdir -p logs && sbatch recipes/cluster/slurm.sh recipes/train/llama-3.3-70b-paper.yaml save_every=100
# The checkout, the data, the run folder and COALM_CACHE must be on a file system that all share.
#SBATCH --job-name=coalm
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1           # one launcher a machine; it starts a process for each GPU
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --mem=0                       # all of a machine's memory
#SBATCH --time=24:00:00
#SBATCH --requeue                     # after preemption or a machine's failure, into the queue
#SBATCH --signal=B:USR1@180           # three minutes before the time is up
#SBATCH --open-mode=append            # a requeued job goes on in its log
#SBATCH --output=logs/%x-%j.out
set -euo pipefail

recipe=${1:?usage: sbatch recipes/cluster/slurm.sh RECIPE [KEY=VALUE ...]}
shift

# Time is nearly up: into the queue again. The same command goes on from the last checkpoint.
trap 'echo "time is nearly up: requeued"; scontrol requeue "$SLURM_JOB_ID"' USR1

read -r host < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
port=$((20000 + SLURM_JOB_ID % 20000)) # so that two jobs on a machine do not meet

# A log for each machine. In the background, since bash answers a signal only while it waits.
srun --kill-on-bad-exit=1 --open-mode=append --output="logs/%x-%j-%N.log" \
  coalm train "$recipe" "$@" --out "runs/$SLURM_JOB_NAME-$SLURM_JOB_ID" \
  --nproc "${SLURM_GPUS_ON_NODE:?ask for GPUs}" --nnodes "$SLURM_JOB_NUM_NODES" \
  --rdzv "$host:$port" &
wait $!
