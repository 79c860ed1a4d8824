// ir::Module -> TVM's module file, as tvm.ir.save_json of TVM v0.19 writes it and tvm.ir.load_json
// reads it: the inverse of module_reader.h.
//
//   kInput      relay.Var with the declared type
//   kConstant   relay.Constant; tensors that share their elements are stored once
//   kCall       relay.Call of an Op with an attribute node of its own (relay/schema.h)
//   kInvoke     relay.Call of the module's GlobalVar
//   let_name    relay.Let around the function's result, in post order
//   name        the Span of calls, tuples and constants: layer names survive
//
// Written is what the outputs reach, in an order that depends on nothing else, so that equal
// modules give equal bytes. Declared are the types of inputs, of let-bound values and of the result
// where they are known; TVM infers the rest.
//
// Names of inputs and layers may hold any bytes. Names of functions and texts inside attributes
// must be printable ASCII, everything else TVM could not load: InputError.
#pragma once

#include <functional>
#include <string_view>

#include "ir/graph.h"

namespace tvmq::relay {

/// REQUIRES: the module has a `main`, invoked functions exist, no graph holds simulated_quantize,
/// no attribute is NaN. `sink` receives the file piece by piece.
void write_module(const ir::Module& module, const std::function<void(std::string_view)>& sink);

}  // namespace tvmq::relay
