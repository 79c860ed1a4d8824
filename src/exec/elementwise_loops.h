// What the files of elementwise loops share. Every loop is vectorised by the compiler, once per
// instruction set; registers that overlap are the same register, which is what ivdep tells it.
#pragma once

#include "exec/elementwise_code.h"

#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"  // builds without optimisation vectorise nothing
#endif

namespace tvmq::exec::loops {

using std::int32_t;
using std::int64_t;
using std::uint32_t;
using std::uint64_t;

template <class F>
[[gnu::always_inline]] inline void each(int64_t count, F f) {
#ifdef __clang__
#pragma clang loop vectorize(assume_safety)
#else
#pragma GCC ivdep
#endif
  for (int64_t i = 0; i < count; ++i) f(i);
}

[[gnu::always_inline]] inline int32_t wrap32(uint32_t value) { return static_cast<int32_t>(value); }
/// The low byte, with its sign.
[[gnu::always_inline]] inline int32_t wrap8(int32_t value) {
  return static_cast<int32_t>(static_cast<uint32_t>(value) << 24) >> 24;
}
[[gnu::always_inline]] inline int64_t wrap64(uint64_t value) { return static_cast<int64_t>(value); }

struct Slots {
  const Instruction& instruction;
  std::byte* const* at;
  template <class T>
  [[gnu::always_inline]] T* out() const {
    return reinterpret_cast<T*>(at[instruction.out]);
  }
  template <class T>
  [[gnu::always_inline]] const T* a() const {
    return reinterpret_cast<const T*>(at[instruction.a]);
  }
  template <class T>
  [[gnu::always_inline]] const T* b() const {
    return reinterpret_cast<const T*>(at[instruction.b]);
  }
};

// elementwise_loops_float.cpp
void run_float(const Instruction& in, std::byte* const* at, int64_t n);
void run_transcendental(const Instruction& in, std::byte* const* at, int64_t n);
// elementwise_loops_integer.cpp
void run_int(const Instruction& in, std::byte* const* at, int64_t n);
void run_long(const Instruction& in, std::byte* const* at, int64_t n);
// elementwise_loops_joined.cpp
void run_joined(const Instruction& in, std::byte* const* at, int64_t n);
// elementwise_loops_bytes.cpp
/// kShiftBytes and kGateBytes of bytes (i0 is not 0). REQUIRES: has_avx512_vnni().
void run_bytes_avx512(const Instruction& in, std::byte* const* at, int64_t n);
// elementwise_loops.cpp
void run_cast(const Instruction& in, std::byte* const* at, int64_t n);
void run_memory(const Instruction& in, std::byte* const* at, int64_t n);

}  // namespace tvmq::exec::loops
