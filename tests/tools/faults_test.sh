#!/usr/bin/env bash
# Whatever happens to the program, the old output is intact or the new one is whole, and the next
# run succeeds. Usage: faults_test.sh PROGRAM SOURCE_DIR [KILLS]
set -u
program=$1
source=$2
kills=${3:-20}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
fail() { echo "FAILED $*"; failed=1; }

# config FILE MODE MODEL_JSON PARAMS OUTPUT: a configuration of one model
config() {
  cat >"$1" <<XML
<Configs><Config>
  <Model><Name>m</Name><ModelJson>$3</ModelJson><WeightsParams>$4</WeightsParams></Model>
  <Dataset><Path>images</Path><ImageResolution>64, 64</ImageResolution></Dataset>
  <QuantizationParameters><CalibSamples>6</CalibSamples><CalibMode>$2</CalibMode>
    <OutputDirectory>$5</OutputDirectory></QuantizationParameters>
</Config></Configs>
XML
}
json=$source/examples/shapes/shapes.json
params=$source/examples/shapes/shapes.params
mkdir images
find "$source/examples/shapes/calibration" -name '*.png' | sort | head -12 | xargs cp -t images
config old.xml minmax "$json" "$params" out
config new.xml mse "$json" "$params" out

# expect NAME CODE COMMAND...: ends by itself, with this exit code
expect() {
  local name=$1 code=$2
  shift 2
  timeout 600 "$@" >log 2>&1
  local got=$?
  [ $got -eq "$code" ] || { fail "$name: exit code $got, expected $code"; tail -5 log; }
}
temporaries() { find . -name '*.tmp' | wc -l; }
# whole: out/ is the old or the new output, and a report is about the model it lies beside
whole() {
  local mode
  if cmp -s out/m.json old.json; then mode=minmax
  elif cmp -s out/m.json new.json; then mode=mse
  else fail "$1: out/m.json is neither the old nor the new one"; return; fi
  cmp -s out/m.params old.params || fail "$1: out/m.params"
  [ ! -e out/m.report.json ] || grep -q "\"$mode\"" out/m.report.json ||
    fail "$1: the report is not about the $mode model beside it"
}

expect old_output 0 "$program" -q -c old.xml --threads 1
cp out/m.json old.json && cp out/m.params old.params
begin=$(date +%s%N)
expect new_output 0 "$program" -q -c new.xml --threads 1
took=$((($(date +%s%N) - begin) / 1000000))
cp out/m.json new.json
cmp -s old.json new.json && fail "the two outputs must differ for what follows"

for threads in 2 16 64; do
  expect "threads_$threads" 0 "$program" -q -c new.xml --threads $threads
  cmp -s out/m.json new.json || fail "--threads $threads: other bytes"
done

# Killed at random moments: half of them early or late on purpose, where files are written.
RANDOM=1
for ((i = 0; i < kills; ++i)); do
  cp old.json out/m.json
  rm -f out/m.report.*
  "$program" -q -c new.xml --threads 2 >log 2>&1 &
  pid=$!
  moment=$((RANDOM * (took + took / 4) / 32768))
  sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
  kill -KILL $pid 2>/dev/null
  wait $pid 2>/dev/null
  whole "kill $i after $moment ms"
done
expect rerun 0 "$program" -q -c new.xml
cmp -s out/m.json new.json || fail "rerun: out/m.json"
[ "$(temporaries)" -eq 0 ] || fail "rerun: $(temporaries) temporary files left"

# Ctrl-C
cp old.json out/m.json
rm -f out/m.report.*
for moment in 0.05 0.3 0.6; do
  timeout --preserve-status -s INT $moment "$program" -q -c new.xml --threads 1 >log 2>&1
  code=$?
  [ $code -eq 130 ] || [ $code -eq 0 ] || fail "SIGINT after $moment s: exit code $code"
  whole "SIGINT after $moment s"
  [ "$(temporaries)" -eq 0 ] || fail "SIGINT: temporary files left"
done

# Two runs into one folder
"$program" -q -c old.xml >log1 2>&1 &
first=$!
"$program" -q -c new.xml >log2 2>&1 &
second=$!
wait $first || { fail "two runs: the first"; cat log1; }
wait $second || { fail "two runs: the second"; cat log2; }
cmp -s out/m.json old.json || cmp -s out/m.json new.json || fail "two runs: a mixture"

# Special files
mkfifo pipe
config pipe.xml mse "$folder/pipe" "$params" bad
expect pipe_as_model 1 "$program" -c pipe.xml
config zero.xml mse "$json" /dev/zero bad
expect device_as_weights 1 "$program" -c zero.xml
config folder.xml mse "$folder" "$params" bad
expect folder_as_model 1 "$program" -c folder.xml
ln -s loop loop
config loop.xml mse "$folder/loop" "$params" bad
expect link_to_itself 1 "$program" -c loop.xml
expect pipe_as_configuration 1 "$program" -c pipe
[ ! -e bad ] || fail "a failing run wrote something"

# An output folder that cannot be written
touch file
config file.xml minmax "$json" "$params" "$folder/file/out"
expect file_in_place_of_the_folder 1 "$program" -c file.xml
if [ -d /proc/self ]; then
  config proc.xml minmax "$json" "$params" /proc/self/out
  expect folder_that_cannot_be_made 1 "$program" -c proc.xml
fi

# A full disk: files may not grow beyond 100 kB
cp old.json out/m.json
rm -f out/m.report.*
expect full_disk 1 bash -c "ulimit -f 100; exec '$program' -c new.xml"
whole full_disk
[ "$(temporaries)" -eq 0 ] || fail "full disk: temporary files left"

# A disk that is really full, at different moments: a file system of a few hundred kB
small=$folder/small
mkdir "$small"
if mount -t tmpfs -o size=4m none "$small" 2>/dev/null; then
  trap 'umount "$small" 2>/dev/null; rm -rf "$folder"' EXIT
  config small.xml mse "$json" "$params" "$small/out"
  for left in 0 50 150 300; do
    rm -rf "$small/out" "$small/filler" && mkdir "$small/out"
    cp old.json "$small/out/m.json" && cp old.params "$small/out/m.params"
    free=$(df -k --output=avail "$small" | tail -1)
    head -c $(((free - left) * 1024)) /dev/zero >"$small/filler"
    expect "disk with $left kB" 1 "$program" -q -c small.xml
    grep -q 'No space left' log || fail "disk with $left kB: the message: $(cat log)"
    cmp -s "$small/out/m.json" old.json || cmp -s "$small/out/m.json" new.json ||
      fail "disk with $left kB: out/m.json is neither the old nor the new one"
    [ "$(find "$small" -name '*.tmp' | wc -l)" -eq 0 ] || fail "disk with $left kB: temporary files"
  done
  umount "$small"
else
  echo "skipped: a full disk (only root can mount one)"
fi

# A model and weights that change, shrink and vanish while they are read
for i in 1 2 3 4 5 6; do
  cp "$json" changing.json && cp "$params" changing.params
  config changing.xml mse "$folder/changing.json" "$folder/changing.params" changed
  "$program" -q -c changing.xml >log 2>&1 &
  pid=$!
  sleep "0.0$i"
  case $((i % 3)) in
    0) : >changing.json ;;
    1) truncate -s 1000 changing.params ;;
    2) rm -f changing.json changing.params ;;
  esac
  wait $pid
  code=$?
  [ $code -eq 0 ] || { [ $code -eq 1 ] && grep -q 'error:' log; } ||
    { fail "changing model $i: exit code $code"; tail -5 log; }
  [ ! -e changed/m.json ] || cmp -s changed/m.json new.json || fail "changing model $i: other output"
  rm -rf changed
done

# Images that are gone or damaged while the program looks at them
mkdir keep && cp images/* keep
"$program" -q -c new.xml --threads 1 >log 2>&1 &
pid=$!
sleep 0.2
rm -f images/*[13579]_*
wait $pid
code=$?
[ $code -eq 0 ] || [ $code -eq 1 ] || [ $code -eq 4 ] || fail "shrinking folder: exit code $code"
cp keep/* images

# What follows limits the address space, of which sanitizers take terabytes.
if ldd "$program" | grep -qE 'lib(asan|tsan)'; then
  echo "skipped: limits of memory (sanitizers do not run under them)"
  exit $failed
fi

# No threads to be had: stacks of 1 GB, of which 3 GB have room for two
cp old.json out/m.json
rm -f out/m.report.*
expect few_threads 0 bash -c "ulimit -s 1000000 && ulimit -v 3000000 && exec '$program' -q -c new.xml --threads 16"
cmp -s out/m.json new.json || fail "few_threads: other bytes"

# 1 kB of text that declares an input of 43 GB
sed 's/"int32", "value": "4"/"int64", "value": "10800000000"/' \
  "$source/fuzz/corpus/module/relu.json" >huge.json
config huge.xml mse "$folder/huge.json" old.params bad
expect input_of_43_GB 1 bash -c "ulimit -v 3000000; exec '$program' -c huge.xml"
grep -q '10800000000' log || fail "input_of_43_GB: the message does not name it: $(cat log)"
[ ! -e bad ] || fail "input_of_43_GB wrote something"

# Too little memory: an error with a message, or enough after all; never a crash. At about 340 MB it
# begins to be enough.
for kilobytes in 100000 150000 200000 $(seq 260000 10000 350000) 500000 800000; do
  cp old.json out/m.json
  rm -f out/m.report.*
  timeout 600 bash -c "ulimit -v $kilobytes; exec '$program' -q -c new.xml --threads 2" >log 2>&1
  code=$?
  # 127: not even the libraries could be loaded
  [ $code -eq 0 ] || [ $code -eq 127 ] || { [ $code -eq 1 ] && grep -q 'error:' log; } ||
    { fail "$kilobytes kB of memory: exit code $code"; tail -5 log; }
  whole "$kilobytes kB of memory"
done

exit $failed
