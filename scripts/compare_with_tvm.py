#!/usr/bin/env python3
"""Compares the tvm scheme with TVM's own quantizer on many networks.

    scripts/compare_with_tvm.py FOLDER --program build/quantization_tvm
    scripts/compare_with_tvm.py FOLDER --dump build/dump_random_networks --seeds 0 2000

FOLDER holds config.xml, any number of Configs with Scheme tvm and CalibMode global_scale (other
modes depend on what TVM's kernels compute), and the networks it names. With --dump, FOLDER is
made first, from random networks of COUNT seeds from FIRST on.

Every network is quantized by both with the same options. The results must be equal in
tvm.ir.structural_equal: operators, attributes, constants to the bit, sharing. Where one of them
refuses, the other must, too, and for the same reason.

Needs TVM v0.19 as Python package. Not part of CI. Exit code 1 if there is a difference.
"""
import argparse
import collections
import importlib
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

import tvm
from tvm import relay

# The package has a function of the same name, which hides the module from `from ... import`.
quantize = importlib.import_module("tvm.relay.quantize.quantize")

# A piece of TVM's error (or of the line of TVM's Python that raised it), a piece of our message.
SAME_REASON = [
    ("_expr.Constant)", "is not a constant"),
    ("kernel_cond", "computed from quantized"),
    ("raise ValueError", "multiplies two quantized values"),
    ("has_only_conversion_ops", "operators are not integer"),
    ("all_dtypes", "operators are not integer"),
    ("DiagnosticError", "is ill-typed"),
    ("DiagnosticError", "the float end of the network needs several values"),
    ("IsInstance<TempExprNode>", "has integers on one side and floats on the other"),
    ("len(self.subtree_params) == 1", "depends on several inputs"),
    ("data->shape.size() != 0", "has no dimensions"),
    ("shift_factor > 0", "which is coarser than the scale"),
    ("compute.dtype is expected to be int32", "in a fixed point product"),
    ("TupleType", "between the last integers and the output"),
]


def say(text):
    print(text, flush=True)


def run_program(program, folder):
    """Quantizes everything in config.xml; returns what the program said about each network."""
    finished = subprocess.run(
        [str(program.resolve()), "-q", "-c", "config.xml"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode < 0:
        sys.exit(f"{program} died from signal {-finished.returncode}:\n{finished.stdout[-2000:]}")
    (folder / "program.log").write_text(finished.stdout)
    errors = {}
    for line in finished.stdout.splitlines():
        found = re.match(r"error: ([^:]+): (.*)", line)
        if found:
            errors[found[1]] = found[2]
    return errors


def read_options(config):
    """TVM's options for a <Config>: (name, optimisation level, qconfig)."""

    def text(key):
        found = config.find(f".//{key}")
        return found.text.strip() if found is not None and found.text else None

    if text("Scheme") != "tvm" or text("CalibMode") != "global_scale":
        sys.exit(f"{text('Name')}: only Scheme tvm with CalibMode global_scale can be compared")
    skipped = text("SkipConvLayers")
    options = {
        "nbit_input": int(text("ActivationBits") or 8),
        "nbit_weight": int(text("WeightBits") or 8),
        "dtype_input": text("DtypeInput") or "int8",
        "dtype_weight": text("DtypeWeight") or "int8",
        "dtype_activation": text("DtypeActivation") or "int32",
        "calibrate_mode": "global_scale",
        "global_scale": float(text("GlobalScale") or 8.0),
        "weight_scale": text("WeightsScale") or "max",
        "skip_conv_layers": [0] if skipped is None else [int(n) for n in re.findall(r"\d+", skipped)],
        "skip_dense_layer": (text("SkipDenseLayer") or "True") in ("True", "1"),
        "partition_conversions": text("PartitionConversions") or "disabled",
    }
    return text("Name"), text("ModelJson"), text("WeightsParams"), int(text("TvmOptLevel") or 2), options


def run_tvm(json, params, level, options):
    """TVM's quantized module, or the text of its error with the Python line that raised it."""
    module = tvm.ir.load_json(json.read_text())
    weights = relay.load_param_dict(params.read_bytes())
    quantize.QuantizeContext.Current = None  # an earlier error leaves it behind
    try:
        with tvm.transform.PassContext(opt_level=level), quantize.qconfig(**options):
            return quantize.quantize(module, params=weights), None
    except Exception as error:  # whatever TVM raises counts as a refusal
        where = ""
        trace = error.__traceback__
        while trace is not None:
            name = trace.tb_frame.f_code.co_filename
            if "relay/quantize" in name:
                source = pathlib.Path(name).read_text().splitlines()
                where = source[trace.tb_lineno - 1].strip()
            trace = trace.tb_next
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        kept = [line for line in lines if "Error" in line or "Check failed" in line] or lines[-2:]
        return None, f"{type(error).__name__}: {' '.join(kept[-3:])} [{where}]"


def compare(ours, theirs):
    infer = relay.transform.InferType()
    ours, theirs = infer(ours), infer(theirs)
    if tvm.ir.structural_equal(ours, theirs):
        return "equal"
    # TVM's partition_conversions leaves one parameter variable in two functions when an input
    # passes the first of them unchanged (printed as "malformed-ir"); each function is closed.
    names = sorted(each.name_hint for each in ours.get_global_vars())
    if len(names) > 1 and names == sorted(each.name_hint for each in theirs.get_global_vars()):
        if all(tvm.ir.structural_equal(ours[n], theirs[n], map_free_vars=True) for n in names):
            return "equal function by function"
    return "DIFFERENT"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--program", type=pathlib.Path, default=pathlib.Path("build/quantization_tvm"))
    parser.add_argument("--dump", type=pathlib.Path, help="the program dump_random_networks")
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 200), metavar=("FIRST", "COUNT"))
    parser.add_argument("--seconds", type=float, help="stop after this time")
    arguments = parser.parse_args()
    folder = arguments.folder
    if arguments.dump:
        first, count = arguments.seeds
        subprocess.run([arguments.dump.resolve(), folder, str(first), str(count)], check=True)
    for old in (folder / "quantized").glob("*"):
        old.unlink()
    errors = run_program(arguments.program, folder)

    counts = collections.Counter()
    bad = []
    reasons = collections.Counter()
    started = time.time()
    for config in xml.etree.ElementTree.parse(folder / "config.xml").getroot().iter("Config"):
        if arguments.seconds and time.time() - started > arguments.seconds:
            say(f"stopped after {arguments.seconds:.0f} s")
            break
        name, json, params, level, options = read_options(config)
        theirs, refusal = run_tvm(folder / json, folder / params, level, options)
        ours = folder / "quantized" / f"{name}.json"
        if theirs is not None and ours.exists():
            verdict = compare(tvm.ir.load_json(ours.read_text()), theirs)
            if verdict == "DIFFERENT":
                (folder / f"{name}.tvm.txt").write_text(theirs.astext(show_meta_data=False))
                (folder / f"{name}.tvm.json").write_text(tvm.ir.save_json(theirs))
        elif theirs is None and not ours.exists():
            message = errors.get(name, "?")
            alike = any(t in refusal and o in message for t, o in SAME_REASON)
            verdict = "refused alike" if alike else "refused, reasons to be compared by hand"
            if not alike:
                reasons[refusal[:150] + "\n      " + re.sub(r"#\d+|'[^']*'", "...", message)[:150]] += 1
        elif theirs is None:
            verdict = f"ONLY TVM REFUSES: {refusal[:300]}"
        else:
            verdict = f"ONLY WE REFUSE: {errors.get(name, '?')}"
        if re.search(r"\.(cpp|h):\d+", errors.get(name, "")):
            verdict = f"OUR INTERNAL ERROR: {errors[name]}"
        counts[verdict.split(":")[0]] += 1
        if verdict[:4].isupper():
            bad.append(name)
            say(f"{name}: {verdict}")
        if sum(counts.values()) % 50 == 0:
            say(f"{time.time() - started:.0f} s: {dict(counts)}")
    for reason, count in reasons.most_common():
        say(f"{count} x {reason}")
    say(f"compared {sum(counts.values())} networks: {dict(counts)}")
    if bad:
        say("different: " + " ".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
