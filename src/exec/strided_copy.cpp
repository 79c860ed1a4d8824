#include "exec/strided_copy.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

namespace tvmq::exec {
namespace {

/// `Size` bytes at a time, the last ones perhaps twice.
template <std::int64_t Size>
[[gnu::always_inline]] inline void copy_row_by(const std::byte* from, std::byte* to,
                                               std::int64_t bytes) {
  for (std::int64_t i = 0; i + Size <= bytes; i += Size) __builtin_memcpy(to + i, from + i, Size);
  __builtin_memcpy(to + bytes - Size, from + bytes - Size, Size);
}

/// Steps in bytes. Rows of a few hundred bytes are what a concatenation of channels last consists
/// of; a library call per row would take longer than the copy.
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"))) void copy_rows(
    const std::byte* from, std::byte* to, std::int64_t rows, std::int64_t from_step,
    std::int64_t to_step, std::int64_t bytes) {
  constexpr std::int64_t kLong = 4096;
  for (std::int64_t r = 0; r < rows; ++r, from += from_step, to += to_step) {
    if (bytes >= kLong) {
      std::memcpy(to, from, static_cast<std::size_t>(bytes));
    } else if (bytes >= 64) {
      copy_row_by<64>(from, to, bytes);
    } else if (bytes >= 32) {
      copy_row_by<32>(from, to, bytes);
    } else if (bytes >= 16) {
      copy_row_by<16>(from, to, bytes);
    } else {
      for (std::int64_t i = 0; i < bytes; ++i) to[i] = from[i];
    }
  }
}

template <class T>
void copy_elements(const std::byte* from, std::byte* to, std::int64_t count, std::int64_t from_step,
                   std::int64_t to_step) {
  const auto* source = reinterpret_cast<const T*>(from);
  auto* target = reinterpret_cast<T*>(to);
  for (std::int64_t i = 0; i < count; ++i) target[i * to_step] = source[i * from_step];
}

/// The loops of a copy, outermost first, joined where both sides are contiguous.
class StridedCopy {
 public:
  StridedCopy(const Copy& copy, std::size_t size)
      : input_(copy.input), output_(copy.output), size_(size) {
    from_offset_ = copy.from.offset;
    to_offset_ = copy.to.offset;
    // In the order in which the target lies in memory.
    std::vector<std::size_t> order(copy.from.sizes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>(),
                             [&](std::size_t d) { return copy.to.strides[d]; });
    for (const std::size_t d : order) {
      const std::int64_t n = copy.from.sizes[d];
      const std::int64_t f = copy.from.strides[d];
      const std::int64_t t = copy.to.strides[d];
      if (n == 1) continue;
      if (!sizes_.empty() && from_.back() == f * n && to_.back() == t * n) {
        sizes_.back() *= n;
        from_.back() = f;
        to_.back() = t;
      } else {
        sizes_.push_back(n);
        from_.push_back(f);
        to_.push_back(t);
      }
    }
    while (sizes_.size() < 2) {
      sizes_.insert(sizes_.begin(), 1);
      from_.insert(from_.begin(), 0);
      to_.insert(to_.begin(), 0);
    }
    if (sizes_.back() == 1) from_.back() = to_.back() = 1;
  }

  /// The number of rows if the copy is nothing but rows of neighbours; else 0.
  std::int64_t rows() const {
    const bool plain = sizes_.size() == 2 && from_[1] == 1 && to_[1] == 1 && sizes_[1] > 0;
    return plain ? sizes_[0] : 0;
  }
  std::int64_t row_bytes() const { return sizes_.back() * static_cast<std::int64_t>(size_); }
  /// REQUIRES: rows() > 0.
  void run_rows(const StepBuffers& buffers, std::int64_t first, std::int64_t count) const {
    const auto bytes = static_cast<std::int64_t>(size_);
    copy_rows(buffers.inputs[input_] + (from_offset_ + first * from_[0]) * bytes,
              buffers.outputs[output_] + (to_offset_ + first * to_[0]) * bytes, count,
              from_[0] * bytes, to_[0] * bytes, row_bytes());
  }

  void run(const StepBuffers& buffers) const {
    const auto bytes = static_cast<std::int64_t>(size_);
    const std::byte* from = buffers.inputs[input_] + from_offset_ * bytes;
    std::byte* to = buffers.outputs[output_] + to_offset_ * bytes;
    const std::size_t outer = sizes_.size() - 2;
    for (const std::int64_t n : sizes_) {
      if (n == 0) return;
    }
    std::vector<std::int64_t> index(outer, 0);
    while (true) {
      run_innermost(from, to);
      std::size_t d = outer;
      while (d > 0) {
        --d;
        from += from_[d] * bytes;
        to += to_[d] * bytes;
        if (++index[d] < sizes_[d]) break;
        from -= from_[d] * sizes_[d] * bytes;
        to -= to_[d] * sizes_[d] * bytes;
        index[d] = 0;
        if (d == 0) return;
      }
      if (outer == 0) return;
    }
  }

 private:
  void run_innermost(const std::byte* from, std::byte* to) const {
    const auto bytes = static_cast<std::int64_t>(size_);
    const std::size_t last = sizes_.size() - 1;
    if (from_[last] == 1 && to_[last] == 1) {
      copy_rows(from, to, sizes_[last - 1], from_[last - 1] * bytes, to_[last - 1] * bytes,
                sizes_[last] * bytes);
      return;
    }
    for (std::int64_t row = 0; row < sizes_[last - 1]; ++row) {
      copy_row(from + row * from_[last - 1] * bytes, to + row * to_[last - 1] * bytes);
    }
  }

  void copy_row(const std::byte* from, std::byte* to) const {
    const std::int64_t count = sizes_.back();
    const std::int64_t f = from_.back();
    const std::int64_t t = to_.back();
    if (size_ == 4) {
      copy_elements<std::uint32_t>(from, to, count, f, t);
    } else if (size_ == 1) {
      copy_elements<std::uint8_t>(from, to, count, f, t);
    } else if (size_ == 2) {
      copy_elements<std::uint16_t>(from, to, count, f, t);
    } else {
      copy_elements<std::uint64_t>(from, to, count, f, t);
    }
  }

  std::size_t input_;
  std::size_t output_;
  std::size_t size_;
  std::int64_t from_offset_ = 0;
  std::int64_t to_offset_ = 0;
  std::vector<std::int64_t> sizes_;
  std::vector<std::int64_t> from_;
  std::vector<std::int64_t> to_;
};

class CopyKernel final : public FastKernel {
 public:
  CopyKernel(const std::vector<Copy>& copies, std::size_t size) : size_(size) {
    for (const Copy& each : copies) copies_.emplace_back(each, size);
  }
  /// Every element of output 0 is set to `value` first.
  void fill_first(const ir::Tensor& value, std::int64_t elements) {
    fill_.assign(value.bytes(), value.bytes() + size_);
    elements_ = elements;
  }

  void run(const StepBuffers& buffers, KernelState* /*state*/) const override {
    if (!fill_.empty()) fill(buffers.outputs[0]);
    const std::int64_t rows = copies_.empty() ? 0 : copies_[0].rows();
    const bool joins =
        copies_.size() > 1 && rows > 0 &&
        std::ranges::all_of(copies_, [&](const StridedCopy& each) { return each.rows() == rows; });
    if (!joins) {
      for (const StridedCopy& each : copies_) each.run(buffers);
      return;
    }
    // Parts of the same rows: some rows at a time, so that they are in the cache for all parts.
    constexpr std::int64_t kBlockBytes = 8 << 10;
    std::int64_t row_bytes = 0;
    for (const StridedCopy& each : copies_) row_bytes += each.row_bytes();
    const std::int64_t block = std::max<std::int64_t>(kBlockBytes / row_bytes, 1);
    for (std::int64_t first = 0; first < rows; first += block) {
      for (const StridedCopy& each : copies_) {
        each.run_rows(buffers, first, std::min(block, rows - first));
      }
    }
  }
  std::string description() const override { return "copy"; }

 private:
  void fill(std::byte* target) const {
    const bool uniform = std::ranges::all_of(fill_, [&](std::byte b) { return b == fill_[0]; });
    if (uniform) {
      std::memset(target, std::to_integer<int>(fill_[0]),
                  static_cast<std::size_t>(elements_) * size_);
      return;
    }
    for (std::int64_t i = 0; i < elements_; ++i) {
      std::memcpy(target + i * static_cast<std::int64_t>(size_), fill_.data(), size_);
    }
  }

  std::size_t size_;
  std::vector<StridedCopy> copies_;
  std::vector<std::byte> fill_;
  std::int64_t elements_ = 0;
};

}  // namespace

std::unique_ptr<const FastKernel> make_strided_copy(const std::vector<Copy>& copies,
                                                    std::size_t size, const ir::Tensor& fill,
                                                    std::int64_t elements) {
  auto kernel = std::make_unique<CopyKernel>(copies, size);
  if (!fill.empty()) kernel->fill_first(fill, elements);
  return kernel;
}

}  // namespace tvmq::exec
