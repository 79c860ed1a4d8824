// TVM's module files (tvm.ir.save_json of an IRModule, or of a single relay.Function) ->
// ir::Module.
//
// Read is what `main` reaches and nothing else: the types and functions that the PyTorch frontend
// leaves in every module do not matter. Files of TVM v0.8 to v0.19 are accepted: missing fields
// have TVM's defaults, texts may stand inline or in nodes, split's numbers may be boxed or not.
//
//   relay.Var            -> the function's input of the same vid (names do not identify variables)
//   relay.Constant       -> kConstant; constants that share data in the file share it here
//   relay.Call           -> kCall, kOpaque for operators that ir/op.h does not know, or kInvoke
//   relay.Tuple, relay.TupleGetItem -> kTuple, kTupleGetItem
//   relay.Let            -> the value itself, with let_name; a let of something that has one
//                           already is only another name and vanishes
//   span of a node       -> name (also of constants, where module_writer.h puts theirs)
//
// Types: inputs have their declared type; the output node has the declared result type if there is
// one; nothing else is typed (ir/infer_types.h does that).
//
// Everything that is not right is an InputError that names the file, the node's number and type,
// what was found and what was expected: cycles, free variables, control flow (If, Match), closures,
// references, recursion, more than most_values(). The depth of the network does not matter.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "ir/graph.h"

namespace tvmq::relay {

/// Inputs, constants, operators and tuples that the functions of a module may have together, in a
/// file of so many bytes. Passes hold several graphs at a time, 2 to 3 kB for each value, which may
/// be 100 bytes of the file. Real networks have thousands; what quantizing makes of one layer are
/// 20 to 26, of about 260 bytes each.
constexpr std::size_t most_values(std::size_t json_bytes) { return 40'000 + json_bytes / 224; }

ir::Module read_module(const std::filesystem::path& json);
/// `name_for_errors` stands for the path in errors.
ir::Module parse_module(std::string_view json, std::string_view name_for_errors);

}  // namespace tvmq::relay
