// Inferred types against the types that TVM v0.19 itself inferred for the same modules.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <compare>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "base/file.h"
#include "ir/infer_types.h"
#include "ir/structural_equal.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "relay/module_reader.h"

namespace tvmq {
namespace {

namespace fs = std::filesystem;

const fs::path kShared = TVMQ_SHARED_DIR;

std::vector<fs::path> files_below(const fs::path& folder, std::string_view extension) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// A type as TVM prints it.
std::string tvm_text(const ir::TensorType& type) {
  if (type.shape.empty()) return std::string(ir::dtype_name(type.dtype));
  std::string shape;
  for (const std::int64_t dim : type.shape) shape += fmt::format(", {}", dim);
  return fmt::format("Tensor[({}), {}]", shape.substr(2), ir::dtype_name(type.dtype));
}

std::string tvm_text(const ir::Type& type) {
  if (const auto* tensor = std::get_if<ir::TensorType>(&type)) return tvm_text(*tensor);
  const auto* tuple = std::get_if<ir::TupleType>(&type);
  if (tuple == nullptr) return "?";
  std::string text;
  for (const ir::TensorType& field : tuple->fields) text += ", " + tvm_text(field);
  return fmt::format("({}{})", text.substr(2), tuple->fields.size() == 1 ? "," : "");
}

/// The operator and the type of one computed value; no operator for tuples and their fields.
struct Value {
  std::string op;
  std::string type;
  auto operator<=>(const Value&) const = default;  // NOLINT(modernize-use-nullptr): no pointer
};

void PrintTo(const Value& value, std::ostream* out) { *out << value.op << ": " << value.type; }

/// The values that TVM's text of function `name` computes. Lines look like
///   %1 = add(%0, meta[relay.Constant][1] /* ty=... */) /* ty=Tensor[(1, 16, 8, 8), float32] */;
std::vector<Value> printed_values(const std::string& text, std::string_view name) {
  std::vector<Value> values;
  std::istringstream lines(text);
  std::string line;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line.starts_with("def @")) inside = line.starts_with(fmt::format("def @{}(", name));
    if (!inside || !line.starts_with("  ")) continue;
    if (line.ends_with(';')) line.pop_back();
    const std::size_t comment = line.rfind(" /* ty=");
    if (!line.ends_with(" */") || comment == std::string::npos) continue;
    std::size_t begin = line.find_first_not_of(' ');
    if (line[begin] == '%' || line.starts_with("  let %")) {
      if (const std::size_t equals = line.find(" = "); equals < comment) begin = equals + 3;
    }
    const bool is_call = line[begin] != '%' && line[begin] != '(';
    values.push_back({is_call ? line.substr(begin, line.find('(', begin) - begin) : "",
                      line.substr(comment + 7, line.size() - 3 - comment - 7)});
  }
  return values;
}

std::vector<Value> inferred_values(const ir::Graph& graph) {
  std::vector<Value> values;
  for (const ir::NodeId id : ir::post_order(graph, graph.output())) {
    const ir::Node& node = graph[id];
    if (node.kind == ir::NodeKind::kInput || node.kind == ir::NodeKind::kConstant) continue;
    values.push_back(
        {node.kind == ir::NodeKind::kCall ? std::string(node.op_name()) : "", tvm_text(node.type)});
  }
  return values;
}

bool calls_functions(const ir::Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(),
                     [](const ir::Node& node) { return node.kind == ir::NodeKind::kInvoke; });
}

TEST(InferredTypes, AreThoseThatTvmPrinted) {
  const auto texts = files_below(kShared / "golden/nets", ".txt");
  if (texts.empty()) GTEST_SKIP() << "no golden files at " << kShared;
  std::size_t compared = 0;
  for (const fs::path& path : texts) {
    SCOPED_TRACE(path);
    ir::Module module = relay::read_module(fs::path(path).replace_extension(".json"));
    const std::string text = read_file(path);
    for (ir::Function& function : module.functions) {
      if (calls_functions(function.graph)) continue;  // the types of calls are not inferred
      infer_types(function.graph);
      EXPECT_EQ(first_violation(function.graph), std::nullopt);
      // Sorted: TVM prints branches in another order than it visits them.
      auto expected = printed_values(text, function.name);
      auto inferred = inferred_values(function.graph);
      std::sort(expected.begin(), expected.end());
      std::sort(inferred.begin(), inferred.end());
      std::vector<Value> differences;
      std::set_symmetric_difference(inferred.begin(), inferred.end(), expected.begin(),
                                    expected.end(), std::back_inserter(differences));
      EXPECT_THAT(differences, testing::IsEmpty());
      compared += expected.size();
    }
  }
  EXPECT_GT(compared, 5000U);
}

TEST(InferredTypes, EndInTheDeclaredResult) {
  std::vector<fs::path> files = files_below(kShared / "architectures", ".json");
  for (const fs::path& each : files_below(kShared / "models", ".json")) files.push_back(each);
  for (const fs::path& each : files_below(kShared / "example", ".json")) files.push_back(each);
  if (files.empty()) GTEST_SKIP() << "no models at " << kShared;
  for (const fs::path& path : files) {
    SCOPED_TRACE(path);
    ir::Module module = relay::read_module(path);
    ir::Graph graph = module.main();
    const ir::Type declared = graph[graph.output()].type;
    infer_types(graph);
    for (const ir::Node& node : graph.nodes()) {
      EXPECT_FALSE(std::holds_alternative<std::monostate>(node.type));
    }
    if (!std::holds_alternative<std::monostate>(declared)) {
      EXPECT_EQ(graph[graph.output()].type, declared);
    }
  }
}

TEST(TextForm, KeepsRealModules) {
  std::vector<fs::path> files = files_below(kShared / "golden/nets", ".json");
  for (const fs::path& each : files_below(kShared / "architectures", ".json")) {
    files.push_back(each);
  }
  if (files.empty()) GTEST_SKIP() << "no models at " << kShared;
  std::size_t compared = 0;
  for (const fs::path& path : files) {
    const bool is_module = path.string().find(".config.") == std::string::npos &&
                           path.string().find(".thresholds.") == std::string::npos;
    if (!is_module) continue;
    SCOPED_TRACE(path);
    ir::Module module = relay::read_module(path);
    for (ir::Function& function : module.functions) {
      infer_types(function.graph);
      const std::string text = to_text(function.graph);
      const ir::Graph parsed = ir::parse_graph(text);
      EXPECT_EQ(first_difference(parsed, function.graph), std::nullopt);
      EXPECT_EQ(first_violation(parsed), std::nullopt);
      EXPECT_EQ(to_text(parsed), text);
      ++compared;
    }
  }
  EXPECT_GT(compared, 100U);
}

}  // namespace
}  // namespace tvmq
