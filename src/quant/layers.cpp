#include "quant/layers.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/error.h"
#include "base/nearest_name.h"

namespace tvmq::quant {
namespace {

constexpr std::string_view kTakenAsIs = "\\*?,\"'";
constexpr std::string_view kLostInXml = "&<>";

[[noreturn]] void refuse(std::string_view key, std::string_view pattern,
                         std::span<const std::string> names) {
  std::vector<std::string_view> known;
  for (const std::string& name : names) {
    if (!name.empty()) known.push_back(name);
  }
  if (known.empty()) {
    throw InputError(fmt::format(
        "{}: '{}': the network has no layers to choose from, leave the key out", key, pattern));
  }
  throw InputError(
      fmt::format("{}: '{}' matches none of the {} layers, the nearest is {}; the report lists all "
                  "of them",
                  key, pattern, known.size(), skip_line(nearest_name(pattern, known))));
}

}  // namespace

bool is_layer(const ir::Node& node) {
  if (node.kind != ir::NodeKind::kCall) return false;
  switch (node.op) {
    case ir::Op::kConv1D:
    case ir::Op::kConv2D:
    case ir::Op::kConv3D:
    case ir::Op::kConv1DTranspose:
    case ir::Op::kConv2DTranspose:
    case ir::Op::kConv3DTranspose:
    case ir::Op::kDense:
    case ir::Op::kMatmul:
    case ir::Op::kBatchMatmul:
      return true;
    default:
      return false;
  }
}

std::vector<std::optional<ir::NodeId>> first_products(const ir::Graph& graph) {
  std::vector<std::optional<ir::NodeId>> first(graph.size());
  std::map<ir::NodeId, ir::NodeId> of_weight;
  for (const ir::NodeId id : ir::post_order(graph, graph.output())) {
    const ir::Node& node = graph[id];
    if (!is_layer(node) || node.inputs.size() < 2) continue;
    const ir::Node& weight = graph[node.inputs[1]];
    if (!weight.is_constant() || weight.value.dtype() != ir::DType::kInt8) continue;
    const auto [place, is_first] = of_weight.emplace(node.inputs[1], id);
    if (!is_first && graph[place->second].op == node.op) first[id] = place->second;
  }
  return first;
}

std::vector<std::string> layer_names(const ir::Graph& graph) {
  std::vector<std::string> names(graph.size());
  std::map<ir::Op, int> of_operator;
  std::map<std::pair<ir::Op, std::string_view>, int> of_name;
  const auto first = first_products(graph);
  for (const ir::NodeId id : ir::post_order(graph, graph.output())) {
    const ir::Node& node = graph[id];
    if (!is_layer(node)) continue;
    if (first[id]) {
      names[id] = names[*first[id]];
      continue;
    }
    const int number = of_operator[node.op]++;
    if (node.name.empty()) {
      names[id] = fmt::format("{} #{}", node.op_name(), number);
      continue;
    }
    names[id] = ir::describe(graph, id);
    const int twin = of_name[{node.op, node.name}]++;
    if (twin > 0) names[id] += fmt::format(" #{}", twin);
  }
  return names;
}

std::string skip_line(std::string_view name) {
  // The quotes that describe() puts around a name need no backslash: they come in pairs.
  const std::size_t opening = name.find('\'');
  const std::size_t closing = name.rfind('\'');
  std::string line;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char symbol = name[i];
    const bool control = static_cast<unsigned char>(symbol) < ' ';
    if (control || kLostInXml.find(symbol) != std::string_view::npos) {
      line += '?';
      continue;
    }
    const bool around = i == opening || i == closing;
    const bool kept_by_quotes = symbol == ',' && opening < i && i < closing;
    if (!around && !kept_by_quotes && kTakenAsIs.find(symbol) != std::string_view::npos) {
      line += '\\';
    }
    line += symbol;
  }
  return line;
}

bool matches(std::string_view pattern, std::string_view text) {
  // Greedy with one place to go back to, the last asterisk: no more steps than the product of both
  // lengths.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t asterisk = std::string_view::npos;
  std::size_t resumed = 0;
  while (t < text.size()) {
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    if (p < pattern.size() && pattern[p] == '*') {
      asterisk = p++;
      resumed = t;
    } else if (p < pattern.size() &&
               (escaped ? pattern[p + 1] == text[t] : pattern[p] == '?' || pattern[p] == text[t])) {
      p += escaped ? 2 : 1;
      ++t;
    } else if (asterisk != std::string_view::npos) {
      p = asterisk + 1;
      t = ++resumed;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> chosen_layers(const ir::Graph& graph,
                                       std::span<const std::string> patterns,
                                       std::string_view key) {
  std::vector<std::string> chosen(graph.size());
  if (patterns.empty()) return chosen;
  const std::vector<std::string> names = layer_names(graph);
  for (const std::string& pattern : patterns) {
    bool any = false;
    for (ir::NodeId id = 0; id < graph.size(); ++id) {
      if (names[id].empty()) continue;
      const std::string& own = graph[id].name;
      if (!matches(pattern, names[id]) && (own.empty() || !matches(pattern, own))) continue;
      any = true;
      if (chosen[id].empty()) chosen[id] = pattern;
    }
    if (!any) refuse(key, pattern, names);
  }
  return chosen;
}

}  // namespace tvmq::quant
