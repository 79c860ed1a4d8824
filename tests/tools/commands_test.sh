#!/usr/bin/env bash
# The commands beside -c: what they print and their exit codes, on the example and on bad arguments.
# Usage: commands_test.sh PROGRAM SOURCE_DIR
set -u
program=$1
source=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0

# expect NAME CODE PATTERN ARGUMENTS...: the exit code, and a pattern in what is printed
expect() {
  local name=$1 code=$2 pattern=$3
  shift 3
  "$program" "$@" >out 2>&1
  local got=$?
  if [ $got -ne "$code" ] || { [ -n "$pattern" ] && ! grep -qE -- "$pattern" out; }; then
    echo "FAILED $name: exit code $got (expected $code), expected /$pattern/ in:"
    sed 's/^/    /' out
    failed=1
  fi
}
fail() { echo "FAILED $1"; failed=1; }

example=$source/examples/shapes
model=$example/shapes.json

expect no_command_and_no_config 2 'config' -q
expect unknown_command 2 'nonsense' nonsense
expect config_before_a_command 2 'command' -c "$example/config.xml" inspect "$model"
expect two_commands 2 '' inspect "$model" template

expect inspect_help 0 'Output:' inspect --help
expect inspect 0 'would quantize 16 of 16' inspect "$model"
expect inspect_config 0 'would quantize 16 of 16' inspect -c "$example/config.xml"
expect inspect_layers 0 "nn.dense 'aten::linear_0' +float" inspect "$model" --layers
expect inspect_text 0 'graph\(%data: float32' inspect "$model" --text
expect inspect_json 0 '"would_be_quantized"' inspect --json "$model" --format json
python3 -m json.tool out >/dev/null || fail 'inspect --format json is no JSON'
expect inspect_nothing 1 'found no model' inspect
expect inspect_missing 1 'missing.json' inspect missing.json
expect inspect_no_module 1 'config.xml' inspect "$example/config.xml"
expect inspect_other_params 1 'shapes.json' inspect "$model" --params "$model"
expect inspect_name_without_config 1 '--name' inspect "$model" --name shapes
expect inspect_unknown_name 1 'shapes' inspect -c "$example/config.xml" --name other
expect inspect_full_needs_text 2 'text' inspect "$model" --full
expect inspect_output_nowhere 1 'nowhere' inspect "$model" -o nowhere/out.txt

expect inspect_text_is_no_json 1 'exclude' inspect "$model" --text --format json
expect inspect_unknown_format 2 'format' inspect "$model" --format yaml

config=$example/config.xml
labels=$example/validation.txt
expect evaluate 0 'accuracy +top-1 [0-9.]+ % \([0-9.]+ to' evaluate -c "$config" --labels "$labels"
expect evaluate_same_model_agrees 0 'agreement +top-1 100.00 %' evaluate -c "$config" --against "$model"
expect evaluate_counts_samples 0 'images +8$' evaluate -c "$config" --labels "$labels" --samples 8
expect evaluate_json 0 '"top1"' evaluate -c "$config" --labels "$labels" --samples 8 --format json
python3 -m json.tool out >/dev/null || fail 'evaluate --format json is no JSON'
expect evaluate_needs_labels 1 'neither labels' evaluate -c "$config"
expect evaluate_needs_config 1 'expected -c' evaluate "$model" --labels "$labels"
expect evaluate_missing_labels 1 'missing.txt' evaluate -c "$config" --labels missing.txt
expect evaluate_missing_reference 1 'missing.json' evaluate -c "$config" --against missing.json
expect evaluate_params_without_module 1 'against' evaluate -c "$config" --labels "$labels" \
  --against-params "${model%.json}.params"
expect evaluate_no_samples 2 'samples' evaluate -c "$config" --labels "$labels" --samples 0
echo 'nothing.png 10' >bad_labels.txt
expect evaluate_labels_without_files 1 'nothing.png' evaluate -c "$config" --labels bad_labels.txt

expect compare_with_itself 0 'equal +1.000000' compare -c "$config" "$model" --samples 2
expect compare_csv 0 '^"nn.dense' compare -c "$config" "$model" --samples 2 --format csv
expect compare_needs_a_module 1 '--json' compare -c "$config"
expect compare_unknown_order 2 'sort' compare -c "$config" "$model" --sort random

expect benchmark 0 'images/s' benchmark "$model" --runs 3
expect benchmark_two 0 'times as fast' benchmark "$model" --against "$model" --runs 3
expect benchmark_json 0 '"kernels"' benchmark "$model" --runs 3 --format json
python3 -m json.tool out >/dev/null || fail 'benchmark --format json is no JSON'
expect benchmark_no_runs 2 'runs' benchmark "$model" --runs 0
expect benchmark_nothing 1 'found no model' benchmark

expect template 0 '<CalibMode>' template
expect template_file 0 '' template -o config.xml
expect template_again 1 'exists' template -o config.xml
expect template_force 0 '' template -o config.xml --force
expect template_unfilled 1 'ModelJson' -c config.xml
sed -i "0,/<Name></s//<Name>filled</; s|<ModelJson>|&$model|; s|<WeightsParams>|&${model%.json}.params|
  s|<Path>|&$example/calibration|; s|<ImageResolution>|&64, 64|; s|<CalibSamples>128|<CalibSamples>4|" config.xml
expect template_filled 0 'integer: ' -c config.xml
expect inspect_quantized 0 'this network is quantized' inspect filled.json
expect compare_quantized 0 'integer +nn.conv2d' compare -c "$config" filled.json --samples 4
[ "$(grep -c ' integer ' out)" -eq 16 ] || fail 'compare does not pair all layers of the example'
grep -q 'only in' out && fail 'compare leaves layers of the example out'
expect benchmark_quantized 0 'times as fast' benchmark -c "$config" filled.json --runs 3 --threads 2
expect evaluate_quantized 0 'difference top-1' evaluate -c "$config" filled.json --against "$model" \
  --labels "$labels" --flips
"$program" inspect "$model" --text >/dev/full 2>out && fail 'a full disk went unnoticed'

exit $failed
