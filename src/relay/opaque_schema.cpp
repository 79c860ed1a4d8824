// The attribute types of TVM v0.19 that have no struct in ir/attrs*.h, as one line of text each:
// "field:kind field:kind ...", in the order in which TVM visits the fields. Kinds: see kind_of().
#include <algorithm>
#include <array>

#include "base/error.h"
#include "relay/schema.h"

namespace tvmq::relay {
namespace {

struct Row {
  std::string_view type_key;
  std::string_view fields;
};

/// Sorted by key.
constexpr std::array kRows{
    Row{"AffineGridAttrs", "target_shape:A"},
    Row{"AllClassNonMaximumSuppressionAttrs", "output_format:s"},
    Row{"AllocStorageAttrs", "dtype:t virtual_device:?"},
    Row{"AllocTensorAttrs", "dtype:t const_shape:? assert_shape:A"},
    Row{"ArangeAttrs", "start:? stop:? step:? dtype:t"},
    Row{"ArgsortAttrs", "axis:i is_ascend:b dtype:t"},
    Row{"AutoSchedulerLayoutTransformAttrs", "src_layout:s dst_layout:s"},
    Row{"BatchToSpaceNDAttrs", "block_shape:A crops:M"},
    Row{"BinaryConv2DAttrs",
        "strides:A padding:A kernel_size:A channels:I activation_bits:i weight_bits:i "
        "data_layout:s kernel_layout:s pack_dtype:t out_dtype:t unipolar:b"},
    Row{"BinaryDenseAttrs",
        "units:I data_bits:i weight_bits:i pack_dtype:t out_dtype:t unipolar:b"},
    Row{"BitPackAttrs", "bits:i pack_axis:i bit_axis:i pack_type:t name:s"},
    Row{"CallLoweredAttrs", "metadata:?"},
    Row{"CompilerAttrs", "compiler:s"},
    Row{"Conv2DWinogradAttrs",
        "tile_size:i strides:A padding:A dilation:A groups:i channels:I kernel_size:A "
        "data_layout:S kernel_layout:S out_layout:S out_dtype:t"},
    Row{"Conv2DWinogradNNPACKWeightTransformAttrs", "convolution_algorithm:i out_dtype:t"},
    Row{"Conv3DWinogradAttrs",
        "tile_size:i strides:A padding:A dilation:A groups:i channels:I kernel_size:A "
        "data_layout:s kernel_layout:s out_layout:s out_dtype:t"},
    Row{"ConvGemmWeightTransformAttrs", "tile_N:i tile_K:i"},
    Row{"ConvWinogradWeightTransformAttrs", "tile_size:i"},
    Row{"CorrelationAttrs",
        "kernel_size:i max_displacement:i stride1:i stride2:i padding:A is_multiply:b "
        "layout:S"},
    Row{"CropAndResizeAttrs", "crop_size:A layout:s method:s extrapolation_value:d out_dtype:t"},
    Row{"DFTAttrs", "inverse:B"},
    Row{"DebugAttrs", "debug_func:?"},
    Row{"DeformableConv2DAttrs",
        "strides:A padding:A dilation:A deformable_groups:i groups:i channels:I "
        "kernel_size:A data_layout:s kernel_layout:s out_layout:s out_dtype:t"},
    Row{"DensePackAttrs", "units:I out_dtype:t weight_layout:S"},
    Row{"DeviceCopyAttrs", "src_virtual_device:? dst_virtual_device:?"},
    Row{"DilateAttrs", "strides:A dilation_value:d"},
    Row{"Dilation2DAttrs",
        "strides:A padding:A dilations:A data_layout:s kernel_layout:s out_dtype:t"},
    Row{"DynExpandDimsAttrs", "num_newaxis:i"},
    Row{"EinsumAttrs", "equation:S"},
    Row{"FIFOBufferAttrs", "axis:i"},
    Row{"GatherNDAttrs", "batch_dims:I index_rank:I"},
    Row{"GetValidCountsAttrs", "score_threshold:F id_index:i score_index:i"},
    Row{"GridSampleAttrs", "method:S layout:S padding_mode:S align_corners:b"},
    Row{"MatrixSetDiagAttrs", "k1:i k2:i super_diag_right_align:b sub_diag_right_align:b"},
    Row{"MeshgridAttrs", "indexing:s"},
    Row{"MetaRefAttrs", "node_type_key:S node_index:i"},
    Row{"MetaScheduleLayoutTransformAttrs", "index_map:?"},
    Row{"MultiBoxPriorAttrs", "sizes:A ratios:A steps:A offsets:A clip:b"},
    Row{"MultiBoxTransformLocAttrs", "clip:b threshold:d variances:A keep_background:b"},
    Row{"MultinomialAttrs", "num_samples:I"},
    Row{"NLLLossAttrs", "reduction:s ignore_index:i"},
    Row{"NdarraySizeAttrs", "dtype:t"},
    Row{"NonMaximumSuppressionAttrs",
        "force_suppress:b top_k:i coord_start:i score_index:i id_index:i return_indices:b "
        "invalid_to_bottom:b"},
    Row{"NormalAttrs", "out_shape:A out_dtype:t"},
    Row{"OnDeviceAttrs", "virtual_device:? constrain_result:b constrain_body:b"},
    Row{"ProposalAttrs",
        "scales:A ratios:A feature_stride:i threshold:d rpn_pre_nms_top_n:i "
        "rpn_post_nms_top_n:i rpn_min_size:i iou_loss:b"},
    Row{"ROIAlignAttrs", "pooled_size:A spatial_scale:d sample_ratio:i layout:s mode:s"},
    Row{"ROIPoolAttrs", "pooled_size:A spatial_scale:d layout:s"},
    Row{"RegularNonMaximumSuppressionAttrs",
        "max_detections_per_class:i max_detections:i num_classes:i iou_threshold:d "
        "score_threshold:d"},
    Row{"ReshapeLikeAttrs", "lhs_begin:i lhs_end:I rhs_begin:i rhs_end:I"},
    Row{"ReshapeTensorAttrs", "newshape:A"},
    Row{"Resize1DAttrs",
        "size:A roi:D layout:s method:s coordinate_transformation_mode:s rounding_method:s "
        "cubic_alpha:d cubic_exclude:i extrapolation_value:d out_dtype:t"},
    Row{"Resize3DAttrs",
        "size:A roi:D layout:s method:s coordinate_transformation_mode:s rounding_method:s "
        "cubic_alpha:d cubic_exclude:i extrapolation_value:d out_dtype:t"},
    Row{"ReverseSequenceAttrs", "seq_axis:I batch_axis:I"},
    Row{"ScanopAttrs", "axis:I dtype:t exclusive:B"},
    Row{"ScatterElementsAttrs", "axis:I reduction:S"},
    Row{"ScatterNDAttrs", "mode:S"},
    Row{"SearchSortedAttrs", "right:b dtype:t"},
    Row{"SequenceMaskAttrs", "mask_value:d axis:i"},
    Row{"ShapeFuncAttrs", "is_input:A"},
    Row{"ShapeOfAttrs", "dtype:t"},
    Row{"SliceLikeAttrs", "axes:A"},
    Row{"SlidingWindowAttrs", "axis:i window_shape:A strides:A"},
    Row{"SpaceToBatchNDAttrs", "block_shape:A paddings:M pad_value:d"},
    Row{"SparseConv2DAttrs", "layout:s kernel_size:A"},
    Row{"SparseDenseAttrs", "sparse_lhs:b"},
    Row{"SparseToDenseAttrs", "output_shape:A"},
    Row{"SparseTransposeAttrs", ""},
    Row{"StftAttrs", "n_fft:i hop_length:i win_length:i normalized:b onesided:b"},
    Row{"ThreefryGenerateAttrs", "out_shape:A"},
    Row{"TopkAttrs", "k:I axis:i ret_type:s is_ascend:b dtype:t"},
    Row{"TorchFunctionAttrs", "serialized_function:s len:i"},
    Row{"TriluAttrs", "upper:b"},
    Row{"TupleGetItemAttrs", "index:i"},
    Row{"UniformAttrs", "out_shape:A out_dtype:t"},
    Row{"UniqueAttrs", "sorted:b return_counts:b"},
    Row{"UpSampling3DAttrs",
        "scale_d:d scale_h:d scale_w:d layout:s method:s coordinate_transformation_mode:s"},
    Row{"WithFuncIdAttrs", "fid:?"},
    Row{"YoloReorgAttrs", "stride:I"},
};

FieldKind kind_of(char letter) {
  switch (letter) {
    case 'i':
      return FieldKind::kInt;
    case 'b':
      return FieldKind::kBool;
    case 'd':
      return FieldKind::kDouble;
    case 't':
      return FieldKind::kDType;
    case 's':
      return FieldKind::kInlineText;
    case 'S':
      return FieldKind::kStringNode;
    case 'I':
      return FieldKind::kOptionalInt;
    case 'B':
      return FieldKind::kOptionalBool;
    case 'F':
      return FieldKind::kOptionalDouble;
    case 'A':
      return FieldKind::kIntList;
    case 'M':
      return FieldKind::kIntMatrix;
    case 'D':
      return FieldKind::kDoubleList;
    case '?':
      return FieldKind::kOther;
    default:
      break;
  }
  throw InternalError("a row of the attribute table has an unknown kind");
}

}  // namespace

std::optional<std::vector<AttrField>> opaque_attr_fields(std::string_view type_key) {
  const auto row =
      std::lower_bound(kRows.begin(), kRows.end(), type_key,
                       [](const Row& each, std::string_view key) { return each.type_key < key; });
  if (row == kRows.end() || row->type_key != type_key) return std::nullopt;
  std::vector<AttrField> fields;
  std::string_view rest = row->fields;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const std::size_t colon = one.find(':');
    check(colon + 2 == one.size(), "a row of the attribute table reads field:kind");
    fields.push_back({one.substr(0, colon), kind_of(one.back())});
  }
  return fields;
}

}  // namespace tvmq::relay
