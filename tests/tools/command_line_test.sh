#!/usr/bin/env bash
# The command line: exit codes, several Configs in one file, what is printed where.
# Usage: command_line_test.sh PROGRAM SOURCE_DIR
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

# config NAME EXTRA: one Config of the example
config() {
  cat <<XML
<Config>
  <Model><Name>$1</Name><ModelJson>$source/examples/shapes/shapes.json</ModelJson>
    <WeightsParams>$source/examples/shapes/shapes.params</WeightsParams></Model>
  <Dataset><Path>$source/examples/shapes/calibration</Path><ImageResolution>64, 64</ImageResolution></Dataset>
  <QuantizationParameters><CalibSamples>4</CalibSamples>$2</QuantizationParameters>
</Config>
XML
}

expect help 0 'CalibMode' --help
expect version 0 '^quantization_tvm [0-9]+\.[0-9]+' --version
expect no_config 2 'config'
expect unknown_option 2 'nonsense' -c bad.xml --nonsense
expect missing_config 1 'missing.xml' -c missing.xml

echo 'this is no xml' >bad.xml
expect no_xml 1 'bad.xml' -c bad.xml

{ echo '<Configs>'; config good ''; echo '</Configs>'; } >good.xml
expect one_config 0 'written: .*good.json' -c good.xml
[ -s good.json ] && [ -s good.params ] || { echo 'FAILED: no output'; failed=1; }

{ echo '<Configs>'; config first '<CalibMod>mse</CalibMod>'; config second ''; echo '</Configs>'; } >two.xml
expect a_failing_config_does_not_stop_the_next 1 'CalibMode' -c two.xml
[ -s second.json ] || { echo 'FAILED: the second Config did not run'; failed=1; }
[ ! -e first.json ] || { echo 'FAILED: the first Config wrote something'; failed=1; }

{ echo '<Configs>'; config ../evil ''; echo '</Configs>'; } >evil.xml
expect outputs_stay_in_their_directory 1 'Name' -c evil.xml
[ ! -e ../evil.json ] || { echo 'FAILED: wrote outside'; failed=1; }

{ echo '<Configs>'; config number '<CalibSamples>0</CalibSamples>'; echo '</Configs>'; } >zero.xml
expect zero_samples 1 'CalibSamples' -c zero.xml

{ echo '<Configs>'; config rough '<ActivationBits>2</ActivationBits><WeightBits>2</WeightBits>'; echo '</Configs>'; } >rough.xml
expect a_bad_result_has_its_own_exit_code 4 'rough: bad: SQNR' -c rough.xml
[ -s rough.json ] && [ -s rough.report.json ] && [ -s rough.report.html ] || { echo 'FAILED: no output'; failed=1; }
{ echo '<Configs>'; config rough '<ActivationBits>2</ActivationBits><WeightBits>2</WeightBits>'; config second '<CalibSamples>0</CalibSamples>'; echo '</Configs>'; } >both.xml
expect a_failed_config_outweighs_a_bad_result 1 'rough: bad' -c both.xml

# No output may be half written, not even a temporary file.
leftovers=$(find . -name '*.tmp' | wc -l)
[ "$leftovers" -eq 0 ] || { echo "FAILED: $leftovers temporary files left"; failed=1; }
exit $failed
