#!/usr/bin/env python3
"""Times quantized networks against their float originals in TVM.

    scripts/time_in_tvm.py FLOAT.json FLOAT.params QUANTIZED.json QUANTIZED.params
    scripts/time_in_tvm.py ... --target "llvm -mcpu=cascadelake" --threads 1 --runs 20
    scripts/time_in_tvm.py ... --kernels 15       # the slowest kernels of both

Both are compiled at optimisation level 3 and run in turns, so that a change of the machine's speed
hits both; what counts is the least time of each: processor time for one thread, so that waiting for
other processes does not count, else elapsed time. Prints one line: float ms, 8-bit ms, their ratio.

Needs TVM v0.19 as Python package; set TOPHUB_LOCATION=NONE. Not part of CI.
"""
import argparse
import os
import sys


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs=4, metavar="FILE")
    parser.add_argument("--target", default="llvm -mcpu=cascadelake")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kernels", type=int, default=0)
    return parser.parse_args()


def compile_pair(json, params, target):
    import tvm
    from tvm import relay

    module = tvm.ir.load_json(open(json).read())
    values = relay.load_param_dict(open(params, "rb").read())
    # Weights that the .json names but main does not take are of no use to the compiler.
    names = {each.name_hint for each in module["main"].params}
    values = {name: value for name, value in values.items() if name in names}
    with tvm.transform.PassContext(opt_level=3):
        return relay.build(module, target, params=values), module, values


def executor(compiled, kernels):
    import numpy
    import tvm
    from tvm.contrib import graph_executor
    from tvm.contrib.debugger import debug_executor

    library, module, values = compiled
    if kernels:
        run = debug_executor.create(library.get_graph_json(), library.get_lib(), tvm.cpu())
        run.set_input(**library.get_params())
    else:
        run = graph_executor.GraphModule(library["default"](tvm.cpu()))
    random = numpy.random.RandomState(0)
    for each in module["main"].params:
        if each.name_hint not in values:
            shape = [int(size) for size in each.type_annotation.shape]
            run.set_input(each.name_hint, random.randn(*shape).astype("float32"))
    return run


def slowest_kernels(run, most, runs):
    """(microseconds, name) of single kernels, slowest first."""
    best = {}
    for _ in range(runs):
        for call in run.profile().calls:
            key = (str(call["Name"]), str(call.get("Argument Shapes", "")))
            micros = float(call["Duration (us)"].microseconds)
            best.setdefault(key, []).append(micros)
    rows = [(min(times) * (len(times) // runs), name) for name, times in best.items()]
    return sorted(rows, reverse=True)[:most], sum(row[0] for row in rows)


def main():
    args = arguments()
    os.environ["TVM_NUM_THREADS"] = str(args.threads)  # read when TVM is loaded
    import time

    import tvm

    pairs = [compile_pair(args.files[i], args.files[i + 1], args.target) for i in (0, 2)]
    if args.kernels:
        for name, pair in zip(("float", "8-bit"), pairs):
            rows, total = slowest_kernels(executor(pair, True), args.kernels, 5)
            print(f"{name}: {total:.0f} us")
            for micros, (kernel, shapes) in rows:
                print(f"  {micros:8.0f} us  {kernel[:90]}  {shapes[:80]}")
        return 0
    runners = [executor(pair, False) for pair in pairs]
    best = [float("inf")] * 2
    # TVM runs a single thread's work on the thread that calls it.
    clock = time.thread_time if args.threads == 1 else time.perf_counter
    for _ in range(args.runs):
        for i, run in enumerate(runners):
            start = clock()
            run.run()
            tvm.cpu().sync()
            best[i] = min(best[i], clock() - start)
    print(f"{args.files[2]}  {1e3 * best[0]:.2f} ms  {1e3 * best[1]:.2f} ms  "
          f"{best[0] / best[1]:.2f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
