// Ctrl-C and kill ask the program to end; it does so at the next safe moment.
#pragma once

namespace tvmq {

/// From now on the first SIGINT, SIGTERM or SIGHUP is remembered instead of ending the program; a
/// second one of the same kind ends it at once. A SIGHUP that is ignored (nohup) stays ignored.
/// Also turns SIGXFSZ (ulimit -f) into an ordinary error of writing.
void remember_stop_signals();

/// The number of the signal that arrived first; 0 if none did. Any thread may ask.
int stop_signal();

}  // namespace tvmq
