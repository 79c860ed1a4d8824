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
  if [ $got -ne "$code" ] || ! grep -qE -- "$pattern" out; then
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
expect inspect_json 0 '"would_be_quantized"' inspect --json "$model" --json-output
python3 -m json.tool out >/dev/null || fail 'inspect --json-output is no JSON'
expect inspect_nothing 1 'found no model' inspect
expect inspect_missing 1 'missing.json' inspect missing.json
expect inspect_no_module 1 'config.xml' inspect "$example/config.xml"
expect inspect_other_params 1 'shapes.json' inspect "$model" --params "$model"
expect inspect_name_without_config 1 '--name' inspect "$model" --name shapes
expect inspect_unknown_name 1 'shapes' inspect -c "$example/config.xml" --name other
expect inspect_full_needs_text 2 'text' inspect "$model" --full
expect inspect_output_nowhere 1 'nowhere' inspect "$model" -o nowhere/out.txt

expect template 0 '<CalibMode>' template
expect template_file 0 '' template -o config.xml
expect template_again 1 'exists' template -o config.xml
expect template_force 0 '' template -o config.xml --force
expect template_unfilled 1 'ModelJson' -c config.xml
sed -i "0,/<Name></s//<Name>filled</; s|<ModelJson>|&$model|; s|<WeightsParams>|&${model%.json}.params|
  s|<Path>|&$example/calibration|; s|<ImageResolution>|&64, 64|; s|<CalibSamples>128|<CalibSamples>4|" config.xml
expect template_filled 0 'integer: ' -c config.xml
expect inspect_quantized 0 'this network is quantized' inspect filled.json
"$program" inspect "$model" --text >/dev/full 2>out && fail 'a full disk went unnoticed'

exit $failed
