// Which operators users think of as the layers with weights, what they are called, and how a user
// picks some of them (SkipLayers, WideLayers).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace tvmq::quant {

/// Convolutions and matrix products, with or without a rule in TVM's quantizer.
bool is_layer(const ir::Node& node);

/// What each layer of the network is called in messages, reports and SkipLayers; per node, empty
/// for what is no layer or does not lead to the output.
///
///   nn.conv2d 'stem'      the name that the frontend left in the model's span
///   nn.conv2d 'stem' #1   of several layers of the same operator and name: all but the first,
///                         counted from 1
///   nn.conv2d #7          without a name: the number among the layers of this operator, from 0, in
///                         the order of execution, the one that SkipConvLayers counts
///
/// Names are unique, but for first_products(). They do not depend on anything but the layers, so
/// they are the same for both schemes, and before and after passes that keep the layers.
std::vector<std::string> layer_names(const ir::Graph& graph);

/// Of a quantized graph, per node: of the second product of a wide layer (integer_scheme.h) the
/// first; else nothing. It is the same operator with the same weight of integers, and no layer of
/// its own: layer_names() gives it the name of the first.
std::vector<std::optional<ir::NodeId>> first_products(const ir::Graph& graph);

/// `name` as a pattern that can be written into the configuration and that matches it: with
/// backslashes before what means something there, and `?` for what XML would not keep.
std::string skip_line(std::string_view name);

/// Whether `text` is as `pattern` says: `*` stands for any number of characters, `?` for one, and a
/// backslash takes the next character as it is.
bool matches(std::string_view pattern, std::string_view text);

/// Per node: the first of `patterns` that matches the layer's name as layer_names() gives it, or
/// the name between its quotes alone; empty if there is none.
/// Throws InputError for a pattern that matches no layer, with `key`, which it was written for, and
/// the name that is nearest to it.
std::vector<std::string> chosen_layers(const ir::Graph& graph,
                                       std::span<const std::string> patterns, std::string_view key);

}  // namespace tvmq::quant
