// Work shared by several threads, through OpenMP. Internal to exec.
#pragma once

#include <omp.h>

#include <cstdint>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace tvmq::exec {

/// ThreadSanitizer does not see how libgomp starts and joins its threads: it is told that what one
/// side did before is done for the other.
inline void hand_over([[maybe_unused]] void* place) {
#ifdef __SANITIZE_THREAD__
  __tsan_release(place);
#endif
}
inline void take_over([[maybe_unused]] void* place) {
#ifdef __SANITIZE_THREAD__
  __tsan_acquire(place);
#endif
}

/// Calls work(thread, begin, end) in each of `threads` threads, whose ranges make up 0..units.
/// The same ranges for the same number of threads.
template <class Work>
#ifdef __SANITIZE_THREAD__
__attribute__((no_sanitize("thread")))
#endif
void share_units(int threads, std::int64_t units, const Work& work) {
  if (threads == 1) return work(std::int64_t{0}, std::int64_t{0}, units);
  [[maybe_unused]] char start = 0;
  [[maybe_unused]] char end = 0;
  hand_over(&start);
#pragma omp parallel num_threads(threads)
  {
    take_over(&start);
    const std::int64_t mine = omp_get_thread_num();
    const std::int64_t count = omp_get_num_threads();
    work(mine, units * mine / count, units * (mine + 1) / count);
    hand_over(&end);
  }
  take_over(&end);
}

}  // namespace tvmq::exec
