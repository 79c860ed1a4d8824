#include "relay/params.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "ir/rewrite.h"
#include "relay/byte_reader.h"
#include "relay/ndarray_record.h"

namespace tvmq::relay {
namespace {

constexpr std::uint64_t kMagic = 0xF7E58D4F05049CB7;

void put(const std::function<void(std::string_view)>& sink, std::uint64_t value) {
  sink({reinterpret_cast<const char*>(&value), sizeof(value)});
}

/// A dimension that the declaration leaves open fits every size.
bool fits(const ir::TensorType& declared, const ir::Tensor& tensor) {
  return declared.dtype == tensor.dtype() &&
         std::ranges::equal(declared.shape, tensor.shape(),
                            [](std::int64_t want, std::int64_t got) {
                              return want == ir::kDynamicDim || want == got;
                            });
}

void check_type(const ir::Node& input, const ir::Tensor& tensor) {
  if (!ir::is_known(input.type)) return;
  const auto* declared = std::get_if<ir::TensorType>(&input.type);
  if (declared != nullptr && fits(*declared, tensor)) return;
  throw InputError(
      fmt::format("parameter '{}': the model declares {}, the params file has {}; the "
                  "two files do not belong together",
                  input.name, ir::to_string(input.type),
                  ir::to_string(ir::TensorType{tensor.dtype(), tensor.shape()})));
}

}  // namespace

NamedTensors read_params(const std::filesystem::path& path) {
  return parse_params(read_file(path), path.string());
}

NamedTensors parse_params(std::string_view bytes, std::string_view name_for_errors) {
  ByteReader reader(bytes, 0, name_for_errors);
  const auto magic = reader.number<std::uint64_t>("the header");
  if (magic != kMagic) {
    reader.fail(0, fmt::format("a params file starts with {:#x}, found {:#x}; give the file that "
                               "tvm.relay.save_param_dict wrote",
                               kMagic, magic));
  }
  reader.take(8, "the header");
  const auto count = reader.number<std::uint64_t>("the number of names");
  if (count > reader.remaining() / 8) {
    reader.fail(reader.offset() - 8,
                fmt::format("{} names announced, but {} bytes are left; the file is damaged", count,
                            reader.remaining()));
  }
  std::vector<std::string> names(static_cast<std::size_t>(count));
  for (std::string& name : names) {
    const auto length = reader.number<std::uint64_t>("a name's length");
    name = reader.take(length, "a name");
  }
  const auto tensors = reader.number<std::uint64_t>("the number of tensors");
  if (tensors != count) {
    reader.fail(reader.offset() - 8,
                fmt::format("{} tensors for {} names; the file is damaged", tensors, count));
  }
  NamedTensors params;
  std::size_t offset = reader.offset();
  for (std::string& name : names) {
    const std::string where = fmt::format("{}: tensor '{}'", name_for_errors, name);
    params.insert_or_assign(std::move(name), parse_ndarray(bytes, offset, where));
  }
  return params;
}

void write_params(const NamedTensors& params, const std::function<void(std::string_view)>& sink) {
  put(sink, kMagic);
  put(sink, 0);
  put(sink, params.size());
  for (const auto& [name, tensor] : params) {
    put(sink, name.size());
    sink(name);
  }
  put(sink, params.size());
  for (const auto& [name, tensor] : params) {
    sink(ndarray_header(tensor));
    sink({reinterpret_cast<const char*>(tensor.bytes()), tensor.byte_size()});
  }
}

ir::Graph bind_params(const ir::Graph& graph, const NamedTensors& params) {
  std::set<std::string_view> names;
  for (const ir::NodeId id : graph.inputs()) {
    const std::string& name = graph[id].name;
    if (params.contains(name) && !names.insert(name).second) {
      throw InputError(
          fmt::format("the model has two inputs named '{}'; names decide which tensor "
                      "of the params file is meant, rename one of them",
                      name));
    }
  }
  // Constants may not stand between a node and its operands, so that all inputs are mapped first.
  ir::GraphRewriter rewriter(graph);
  for (const ir::NodeId id : graph.inputs()) {
    const ir::Node& input = graph[id];
    const auto found = params.find(input.name);
    if (found == params.end()) {
      rewriter.map(id, rewriter.copy(id));
      continue;
    }
    check_type(input, found->second);
    rewriter.map(id, rewriter.target().add_constant(found->second, input.name));
  }
  for (const ir::NodeId id : post_order(graph, graph.output())) {
    if (graph[id].kind != ir::NodeKind::kInput) rewriter.map(id, rewriter.copy(id));
  }
  rewriter.target().set_output(rewriter.mapped(graph.output()));
  return compact(rewriter.target());
}

}  // namespace tvmq::relay
