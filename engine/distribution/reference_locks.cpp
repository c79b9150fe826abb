#include "engine/distribution/reference_locks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/distribution/entries.h"
#include "engine/types/quote.h"

namespace polarsim::engine::distribution {
namespace {

// What a task does with a reference table.
struct Use {
  bool reads = false;
  bool inserts = false;
  bool changes = false;  // by what it sees
  bool locks_rows = false;
};

const query::Relation* relation_of(const query::Query& query, int entry) {
  const auto* table = std::get_if<query::TableSource>(&query.entries[static_cast<std::size_t>(entry)].source);
  return table == nullptr ? nullptr : table->relation.get();
}

std::map<std::uint32_t, Use> uses_of(const query::Query& query) {
  std::map<std::uint32_t, Use> uses;
  for_each_query_within(query, [&](const query::Query& each) {
    for (std::size_t i = 0; i < each.entries.size(); ++i) {
      const query::Relation* relation = relation_of(each, static_cast<int>(i));
      if (relation == nullptr) continue;
      Use& use = uses[relation->id];
      if (static_cast<int>(i) != each.result_entry) {
        use.reads = true;
      } else if (each.command == query::Command::insert && !each.on_conflict) {
        use.inserts = true;
      } else {
        use.changes = true;
      }
    }
    for (const query::RowMark& mark : each.row_marks) {
      const query::Relation* relation = relation_of(each, mark.entry);
      if (relation != nullptr) uses[relation->id].locks_rows = true;
    }
  });
  return uses;
}

// Null: what the task does by itself is enough.
const char* mode_of(const Use& use, bool writes_copies, bool locks_elsewhere) {
  if (use.locks_rows && locks_elsewhere) return "EXCLUSIVE";
  if (!writes_copies) return nullptr;
  if (use.changes || (use.inserts && use.reads)) return "SHARE ROW EXCLUSIVE";
  return use.reads ? "SHARE" : nullptr;
}

}  // namespace

int first_copy(const std::vector<int>& groups) { return *std::min_element(groups.begin(), groups.end()); }

std::vector<ReferenceLock> reference_locks(const Job& job, const Task& task) {
  const bool writes_copies = task.writes && task.groups.size() > 1;
  if (!writes_copies && !task.locks) return {};
  const std::map<std::uint32_t, Use> uses = uses_of(*job.query);
  std::vector<ReferenceLock> locks;
  for (const JobTable& table : job.tables) {
    if (!table.distribution->is_reference()) continue;
    const Shard& shard = table.distribution->shards.at(0);
    const auto use = uses.find(table.relation->id);
    if (use == uses.end() || shard.groups.size() < 2) continue;
    const int group = first_copy(shard.groups);
    const char* mode = mode_of(use->second, writes_copies, first_copy(task.groups) != group);
    if (mode == nullptr) continue;
    locks.push_back({group, fmt::format("LOCK TABLE {}.{} IN {} MODE", quote_identifier(table.relation->schema),
                                        quote_identifier(shard_name(table.relation->name, shard.id)), mode)});
  }
  return locks;
}

std::vector<ReferenceLock> reference_locks(const Job& job) {
  if (!job.writes || job.tables.empty()) return {};
  Task task;
  for (const JobTable& table : job.tables) {
    if (!table.distribution->is_reference()) return {};
    task.groups = table.distribution->shards.at(0).groups;
  }
  task.writes = true;
  return reference_locks(job, task);
}

}  // namespace polarsim::engine::distribution
