// What the files with AVX-512 VNNI instructions share (byte products, four at a time). They are
// compiled for every x86-64 CPU and chosen at run time. Internal to exec.
#pragma once

// GCC 12 takes the undefined lanes inside its own header for a mistake.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#define TVMQ_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define TVMQ_VNNI_INLINE \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"), always_inline)) inline

namespace tvmq::exec {

/// Whether this CPU has them.
inline bool has_avx512_vnni() {
  static const bool has =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
      __builtin_cpu_supports("avx512vnni") != 0;
  return has;
}

/// Group i of four bytes of 128-bit lane k and group k of lane i change places: packing and
/// unpacking work within lanes.
TVMQ_VNNI_INLINE __m512i transpose_groups(__m512i bytes) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, bytes);
}

}  // namespace tvmq::exec
