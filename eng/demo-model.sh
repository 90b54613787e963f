#!/usr/bin/env bash
# Makes the bundled demonstration model and the sample clips again, from nothing but seeds.
#   eng/demo-model.sh        everything: models/synthetic_motions.onnx, samples/clips, and the accuracy on unseen clips
# The work folder is artifacts/demo; an interrupted training goes on where it stopped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=artifacts/demo
mkdir -p "$work"
[ -e "$work/motions/manifest.json" ] || ./kinora data synth "$work/motions" --seed 20 --train 140 --val 14 --test 2
[ -e "$work/unseen/manifest.json" ] || ./kinora data synth "$work/unseen" --seed 1001 --train 1 --val 1 --test 22
[ -e "$work/samples/manifest.json" ] || ./kinora data synth "$work/samples" --seed 4242 --train 1 --val 1 --test 1

train() { # name, further options
  local name=$1
  shift
  [ ! -e "$work/runs/$name/model.onnx" ] || return 0
  if [ -e "$work/runs/$name/last.safetensors" ]; then
    ./kinora train --resume "$work/runs/$name"
  else
    ./kinora train "$work/motions" --name "$name" --output "$work/runs" \
      --size 112 --batch-size 16 --lr 0.02 "$@"
  fi
}

# Twice along the cosine: the second time starts from what the first one learned.
train demo --seed 20 --epochs 6
cat > "$work/second.yaml" << YAML
data:
  path: $work/motions
model:
  weights: $work/runs/demo/best.safetensors
YAML
train second --config "$work/second.yaml" --seed 21 --epochs 5
cp "$work/runs/second/model.onnx" models/synthetic_motions.onnx
mkdir -p samples/clips
for action in close_door fall_down get_up jumping_jack open_door sit_down stand_up wave; do
  cp "$work"/samples/test/"$action"/*.mp4 "samples/clips/$action.mp4"
done
./kinora eval --model models/synthetic_motions.onnx "$work/unseen"

# The same network without the shift can't see time order: inside the reversed pairs it must guess.
if [ "${1:-}" = --without-shift ]; then
  train no-shift --seed 20 --no-temporal-shift --epochs 6
  ./kinora eval --model "$work/runs/no-shift" "$work/unseen"
fi
