// How each operator's result type follows from its operands' (the inside of infer_types).
//
// A rule is called only when the types of all operands are known. It returns the result's type,
// std::monostate where TVM could not say either, or calls fail(). It never computes a dimension in
// int64: attributes come from files and may hold anything, so they are either checked with
// bounded() first or combined in Wide and brought back with dim().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ir/graph.h"
#include "ir/layout.h"

namespace tvmq::ir {

/// Wide enough for a sum of products of two int64.
__extension__ using Wide = __int128;

/// No dimension and no number of elements may be larger: a tensor of that size is a mistake or an
/// attack.
inline constexpr std::int64_t kMaxExtent = std::int64_t{1} << 40;
/// The most dimensions of a tensor, the most tensors that one operator may return.
inline constexpr std::size_t kMaxRank = 64;
inline constexpr std::int64_t kMaxResults = 4096;

/// A call whose operands' types are all known.
class RuleCall {
 public:
  RuleCall(const Graph& graph, NodeId id) : graph_(graph), id_(id) {}

  [[nodiscard]] const Node& node() const { return graph_[id_]; }
  template <class T>
  [[nodiscard]] const T& attrs() const {
    return node().attrs_as<T>();
  }

  /// The type of an operand. Fails if it is the other kind.
  const TensorType& tensor(std::size_t operand) const;
  [[nodiscard]] const TupleType& tuple(std::size_t operand) const;

  /// Throws the InputError: the node's name, then `found_and_expected`.
  [[noreturn]] void fail(std::string_view found_and_expected) const;

  /// `value` if it lies in [low, high], else fails; `what` names it.
  std::int64_t bounded(std::int64_t value, std::int64_t low, std::int64_t high,
                       std::string_view what) const;
  /// `value` as a dimension: fails if it is negative or larger than kMaxExtent.
  [[nodiscard]] std::int64_t dim(Wide value, std::string_view what) const;
  /// An axis counted from the end if negative, as an index below `rank`.
  std::size_t axis(std::int64_t axis, std::size_t rank) const;
  /// axis() of each, in their order; fails with "axis 1 `twice`" if one is listed again.
  std::vector<std::size_t> distinct_axes(const IntList& axes, std::size_t rank,
                                         std::string_view twice) const;
  /// Fails unless the list has `size` elements.
  void require_size(const IntList& list, std::size_t size, std::string_view what) const;
  /// Fails unless an operand has this type; kDynamicDim on either side fits everything.
  void require_type(std::size_t operand, const TensorType& expected, std::string_view what) const;
  /// Fails unless an operand has no dimensions.
  void require_scalar(std::size_t operand) const;

  [[nodiscard]] Layout layout(std::string_view text) const;
  /// convert_shape() that fails where it has no result.
  [[nodiscard]] Shape convert(const Shape& shape, const Layout& from, const Layout& to,
                              std::string_view what) const;

 private:
  const Graph& graph_;
  NodeId id_;
};

/// Open dimensions fit everything.
inline bool fits(std::int64_t left, std::int64_t right) {
  return left == right || left == kDynamicDim || right == kDynamicDim;
}

using TypeRule = Type (*)(const RuleCall&);

/// The numpy broadcast of two shapes; an open dimension takes the other's size if that is not 1.
Shape broadcast(const RuleCall& call, const Shape& left, const Shape& right);
/// The type of a concatenation of the fields of operand 0.
Type concatenation(const RuleCall& call, std::int64_t axis);

// type_rules_elementwise.cpp
Type identity_type(const RuleCall& call);  ///< operand 0's
Type fixed_point_multiply_per_axis_type(const RuleCall& call);
Type broadcast_type(const RuleCall& call);
Type comparison_type(const RuleCall& call);
Type where_type(const RuleCall& call);
Type cast_type(const RuleCall& call);

// type_rules_conv.cpp
Type conv1d_type(const RuleCall& call);
Type conv2d_type(const RuleCall& call);
Type conv3d_type(const RuleCall& call);
Type conv1d_transpose_type(const RuleCall& call);
Type conv2d_transpose_type(const RuleCall& call);
Type conv3d_transpose_type(const RuleCall& call);

// type_rules_matmul.cpp
Type dense_type(const RuleCall& call);
Type matmul_type(const RuleCall& call);
Type batch_matmul_type(const RuleCall& call);

// type_rules_pool.cpp
Type max_pool1d_type(const RuleCall& call);
Type max_pool2d_type(const RuleCall& call);
Type max_pool3d_type(const RuleCall& call);
Type avg_pool1d_type(const RuleCall& call);
Type avg_pool2d_type(const RuleCall& call);
Type avg_pool3d_type(const RuleCall& call);
Type global_pool2d_type(const RuleCall& call);
Type adaptive_pool1d_type(const RuleCall& call);
Type adaptive_pool2d_type(const RuleCall& call);
Type adaptive_pool3d_type(const RuleCall& call);

// type_rules_norm.cpp: operators that work along an axis and keep the shape
Type bias_add_type(const RuleCall& call);
Type softmax_type(const RuleCall& call);
Type prelu_type(const RuleCall& call);
Type dropout_type(const RuleCall& call);
Type batch_norm_type(const RuleCall& call);
Type instance_norm_type(const RuleCall& call);
Type layer_norm_type(const RuleCall& call);
Type group_norm_type(const RuleCall& call);
Type l2_normalize_type(const RuleCall& call);
Type lrn_type(const RuleCall& call);
Type reverse_type(const RuleCall& call);

// type_rules_shape.cpp
Type reshape_type(const RuleCall& call);
Type batch_flatten_type(const RuleCall& call);
Type transpose_type(const RuleCall& call);
Type squeeze_type(const RuleCall& call);
Type expand_dims_type(const RuleCall& call);
Type repeat_type(const RuleCall& call);
Type tile_type(const RuleCall& call);
Type broadcast_to_type(const RuleCall& call);
Type broadcast_to_like_type(const RuleCall& call);
Type init_type(const RuleCall& call);
Type full_type(const RuleCall& call);
Type full_like_type(const RuleCall& call);

// type_rules_slice.cpp
Type concatenate_type(const RuleCall& call);
Type stack_type(const RuleCall& call);
Type split_type(const RuleCall& call);
Type strided_slice_type(const RuleCall& call);
Type take_type(const RuleCall& call);
Type gather_type(const RuleCall& call);
Type one_hot_type(const RuleCall& call);

// type_rules_image.cpp
Type pad_type(const RuleCall& call);
Type mirror_pad_type(const RuleCall& call);
Type upsampling_type(const RuleCall& call);
Type resize2d_type(const RuleCall& call);
Type depth_to_space_type(const RuleCall& call);
Type space_to_depth_type(const RuleCall& call);
Type layout_transform_type(const RuleCall& call);

// type_rules_reduce.cpp
Type reduce_type(const RuleCall& call);
Type arg_reduce_type(const RuleCall& call);
Type variance_type(const RuleCall& call);

// type_rules_qnn.cpp
Type simulated_quantize_type(const RuleCall& call);
Type qnn_quantize_type(const RuleCall& call);
Type qnn_dequantize_type(const RuleCall& call);
Type qnn_requantize_type(const RuleCall& call);
Type qnn_conv2d_type(const RuleCall& call);
Type qnn_dense_type(const RuleCall& call);
Type qnn_broadcast_type(const RuleCall& call);
Type qnn_concatenate_type(const RuleCall& call);
Type qnn_avg_pool2d_type(const RuleCall& call);
Type qnn_leaky_relu_type(const RuleCall& call);

}  // namespace tvmq::ir
