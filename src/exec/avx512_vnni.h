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

}  // namespace tvmq::exec
