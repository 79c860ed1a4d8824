#include "stop_signal.h"

#include <signal.h>

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace tvmq {
namespace {

std::atomic<int> received = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch nothing else");

extern "C" void remember(int signal) {
  int none = 0;
  received.compare_exchange_strong(none, signal);
}

}  // namespace

void remember_stop_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = remember;
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    ::sigaction(signal, &action, nullptr);
  }
  // A limit on the size of files is an error like a full disk, not the end.
  std::signal(SIGXFSZ, SIG_IGN);
}

int stop_signal() { return received.load(); }

}  // namespace tvmq
