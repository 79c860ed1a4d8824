// TVM's .params files: named tensors (tvm.relay.save_param_dict), little-endian:
//
//   offset   bytes   field
//   0        8       magic 0xF7E58D4F05049CB7
//   8        8       reserved, 0
//   16       8       number of names
//            8       length of a name  \ once per name
//            length  the name          /
//            8       number of names, again
//                    one NDArray record per name, in the same order (ndarray_record.h)
//
// Bytes behind the last record are ignored and of two tensors of one name the last one counts, both
// as in TVM.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "ir/graph.h"
#include "ir/tensor.h"

namespace tvmq::relay {

using NamedTensors = std::map<std::string, ir::Tensor, std::less<>>;

/// Every error is an InputError with the file's name and the offset of the byte.
NamedTensors read_params(const std::filesystem::path& path);
/// `name_for_errors` stands for the path in errors.
NamedTensors parse_params(std::string_view bytes, std::string_view name_for_errors);

/// Writes the tensors in the order of their names: equal tensors give equal bytes.
void write_params(const NamedTensors& params, const std::function<void(std::string_view)>& sink);

/// The graph with every input whose name is a key of `params` made a constant of that name:
///
///   main(%data, %weight) { nn.conv2d(%data, %weight) }   with params {weight: W, unused: U}
///   main(%data)          { nn.conv2d(%data, W) }
///
/// Names that are no input's are ignored (TVM does so too: quantized modules come with the float
/// parameters they no longer use). InputError: dtype or shape differ from the input's declaration,
/// two inputs have the name of one tensor.
ir::Graph bind_params(const ir::Graph& graph, const NamedTensors& params);

}  // namespace tvmq::relay
