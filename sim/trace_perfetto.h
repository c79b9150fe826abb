// A trace for the timeline viewers: https://ui.perfetto.dev and chrome://tracing, in the JSON of Chrome's "Trace Event
// Format".
//
// Hosts are processes, tasks are threads; thread 0 of a process is its kernel (deliveries, timers). What a task waits
// for is a slice from the block to the next run; disk operations are slices too; a computation takes no virtual time
// and so has none. Sends and deliveries are empty slices, joined by a flow arrow where the trace holds both. All else
// is an instant event. A counter of each process shows the bytes that it has sent and that have not arrived, those of lost messages included. Every
// event carries its id and its parent's as arguments. Times are virtual, in microseconds.
#pragma once

#include <ostream>
#include <vector>

#include "sim/trace.h"

namespace polarsim::sim {

// `events` in order, as a Trace or a trace file gives them; parents may be missing. The text is valid JSON and UTF-8
// whatever the events hold: bytes that are not UTF-8 become U+FFFD. Errors of the stream are left to the caller.
void write_perfetto(std::ostream& out, const std::vector<TraceEvent>& events);

}  // namespace polarsim::sim
