// What the disk tells the trace: operations, and how long they took.
#include <string>

#include "sim/disk_state.h"
#include "sim/host.h"
#include "sim/simulation.h"

namespace polarsim::sim {

void Disk::Implementation::trace_begin(DiskOperation operation, const Inode* inode, std::uint64_t offset,
                                       std::uint64_t size) {
  Trace& trace = host.simulation().trace();
  TraceRecord event;
  event.time = scheduler.now();
  event.kind = TraceKind::io;
  event.verb = TraceVerb::begin;
  event.host = trace.name(host.name());
  event.name = trace.name(to_string(operation));
  event.a = offset;
  event.b = size;
  const std::string path = inode == nullptr ? std::string() : inode->path();
  const TraceId id = trace.record(event, path.empty() ? "/" : path);
  // Damage may be noted between the beginning of an operation and its end.
  if (operation != DiskOperation::damage) under = Under{id, event.name, scheduler.now()};
}

void Disk::Implementation::trace_end(const Under& operation) {
  Trace& trace = host.simulation().trace();
  TraceRecord event;
  event.time = scheduler.now();
  event.kind = TraceKind::io;
  event.verb = TraceVerb::end;
  event.parent = operation.begin;
  event.host = trace.name(host.name());
  event.name = operation.name;
  event.a = static_cast<std::uint64_t>((scheduler.now() - operation.since).count());
  trace.record(event);
}

}  // namespace polarsim::sim
