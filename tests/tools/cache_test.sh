#!/usr/bin/env bash
# Calibration caches: interrupted and gone on with, merged, and used without images.
# Usage: cache_test.sh PROGRAM SOURCE_DIR
set -u
program=$1
source=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
fail() { echo "FAILED $*"; failed=1; }

# config MORE_DATASET MORE_QUANTIZATION: a configuration of the example
config() {
  cat <<XML
<Configs><Config>
  <Model><Name>m</Name><ModelJson>$source/examples/shapes/shapes.json</ModelJson>
    <WeightsParams>$source/examples/shapes/shapes.params</WeightsParams></Model>
  <Dataset><ImageResolution>64, 64</ImageResolution><Mean>123.675, 116.28, 103.53</Mean>
    <Std>58.395, 57.12, 57.375</Std>$1</Dataset>
  <QuantizationParameters>$2</QuantizationParameters>
</Config></Configs>
XML
}
mkdir all left right
for file in "$source"/examples/shapes/calibration/*.png; do ln -s "$file" all/; done
# Not the first and the last half: parts need not be in order.
find all -type l | sort | awk 'NR % 3 == 0' | while read -r link; do cp -P "$link" left/; done
find all -type l | sort | awk 'NR % 3 != 0' | while read -r link; do cp -P "$link" right/; done
config "<Path>all</Path>" "" >config.xml
"$program" calibrate -q -c config.xml --cache one.json >log 2>&1 || fail "calibrate: $(cat log)"
grep -q 'one.json: 64 samples, complete' log || fail "calibrate: $(cat log)"

# Interrupted at some moment, gone on with: the same bytes.
for signal in INT KILL; do
  for delay in 0.05 0.15 0.3 0.6; do
    rm -f part.json
    "$program" calibrate -q -c config.xml --cache part.json --threads 1 >log 2>&1 &
    sleep $delay
    kill -$signal $! 2>/dev/null
    wait $! 2>/dev/null
    "$program" calibrate -q -c config.xml --cache part.json >log 2>&1 || fail "resume: $(cat log)"
    cmp -s one.json part.json || fail "SIG$signal after $delay s, gone on with: another cache"
  done
done
rm -f part.json
"$program" calibrate -q -c config.xml --cache part.json --threads 1 >log 2>&1 &
for _ in $(seq 100); do [ -e part.json ] && break; sleep 0.02; done
kill -INT $! 2>/dev/null
wait $!
code=$?
[ $code -eq 130 ] || [ $code -eq 0 ] || fail "SIGINT: exit code $code"

# Parts, merged in rounds: the same bytes as one run.
rm -f merged.json
for round in 1 2 3 4 5; do
  for part in left right; do
    if [ -e merged.json ]; then cp merged.json $part.json; fi
    "$program" calibrate -q -c config.xml --images $part --cache $part.json >log 2>&1 ||
      fail "part: $(cat log)"
  done
  "$program" merge left.json right.json -o merged.json >log 2>&1 || fail "merge: $(cat log)"
  grep -q ', complete' log && break
done
[ $round -lt 5 ] || fail "merging did not end: $(cat log)"
cmp -s one.json merged.json || fail "parts merged: another cache than one run's"

# What does not belong together.
config "<Path>all</Path><Normalization>True</Normalization>" "" >other.xml
"$program" calibrate -q -c other.xml --images left --cache other.json >log 2>&1
"$program" merge one.json other.json -o no.json >log 2>&1 && fail "merged different preprocessings"
grep -q 'other.json.*preprocessing' log || fail "merge: $(cat log)"
[ ! -e no.json ] || fail "a merge that failed wrote something"
"$program" calibrate -q -c other.xml --cache one.json >log 2>&1 && fail "took another preprocessing"
grep -q 'another preprocessing' log || fail "calibrate: $(cat log)"

cp one.json fresh.json
# Without images: every mode, scheme and bit width.
for more in "<Scheme>tvm</Scheme><CalibMode>kl_divergence</CalibMode>" "<Scheme>tvm</Scheme>" \
  "<CalibMode>percentile</CalibMode>" "<CalibMode>minmax</CalibMode>" \
  "<ActivationBits>6</ActivationBits><WeightBits>5</WeightBits>"; do
  config "" "<CalibrationCache>one.json</CalibrationCache>$more" >cached.xml
  "$program" -c cached.xml >log 2>&1 || fail "$more: $(cat log)"
  grep -q 'no image is read' log || fail "$more: $(cat log)"
done
config "" "<CalibrationCache>one.json</CalibrationCache><WeightRounding>gptq</WeightRounding>" >cached.xml
"$program" -q -c cached.xml >log 2>&1 && fail "gptq without images"
grep -q 'WeightRounding gptq looks at images' log || fail "gptq: $(cat log)"

# A range that was edited is used.
config "" "<CalibrationCache>edited.json</CalibrationCache>" >cached.xml
config "" "<CalibrationCache>fresh.json</CalibrationCache>" >plain.xml
"$program" -q -c plain.xml >log 2>&1 || fail "plain: $(cat log)"
cp m.json plain.json
cp fresh.json edited.json
"$program" -q -c cached.xml >log 2>&1 || fail "cached: $(cat log)"
cmp -s m.json plain.json || fail "a copy of the cache gives another model"
sed -i '0,/"range": \[[^]]*\]/s//"range": [-1, 1]/' edited.json
"$program" -q -c cached.xml >log 2>&1 || fail "edited: $(cat log)"
cmp -s m.json plain.json && fail "an edited range changes nothing"

exit $failed
