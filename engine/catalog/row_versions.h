// Every row version of a table, whoever may see it: for reading the catalog at the start and for building indexes.
#pragma once

#include <functional>

#include "engine/storage/tuple.h"
#include "engine/txn/heap_access.h"

namespace polarsim::engine::catalog {

// Calls `visit` for the versions on the table's pages in order of their places, dead ones too, but not those that were
// killed (an insertion that a conflict took back). Blocks; `visit` may block. Versions that come meanwhile may be seen.
using VisitVersion = std::function<void(storage::Tid, const storage::TupleHeader&, const Row&)>;
void for_each_version(storage::BufferPool& pool, storage::DataFiles& files, txn::Heap& heap,
                      const txn::HeapTable& table, const VisitVersion& visit);

}  // namespace polarsim::engine::catalog
