// How many threads an operator may use.
#pragma once

#include <omp.h>

namespace tvmq::exec {

/// OpenMP's thread count belongs to the calling thread; it is set during the life of this object
/// and then put back.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : previous_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
  }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;
  ~ThreadCount() { omp_set_num_threads(previous_); }

 private:
  int previous_;
};

}  // namespace tvmq::exec
