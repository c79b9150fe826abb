// What an index keeps of a row: the values of its columns and expressions, if its predicate holds (PostgreSQL's
// FormIndexDatum(), src/backend/catalog/index.c).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/catalog.h"
#include "engine/query/analysis.h"
#include "engine/query/program.h"
#include "sim/scheduler.h"

namespace polarsim::engine::executor {

// An expression as the catalog keeps it, over the table's columns: parsed on the scheduler's stack and compiled.
query::Program compile_stored(std::string_view text, const catalog::Definition& table, Type wanted,
                              const query::AnalysisContext& context, sim::Scheduler& scheduler);

class IndexKeys {
 public:
  IndexKeys(catalog::DefinitionPtr table, catalog::DefinitionPtr index, const query::AnalysisContext& context,
            sim::Scheduler& scheduler);

  // Whether the index has an entry for the row. May block, as the next.
  bool holds(std::span<const Value> row, const CallContext& call);
  // The values of the keys, valid until the next call. The row has a value for each column of the table.
  std::span<const Value> values(std::span<const Value> row, const CallContext& call);
  // The tree's key for these values.
  std::string key(std::span<const Value> values) const;
  // Whether these values may be in the index only once: it is unique, and none is NULL unless NULLs are equal there.
  bool must_be_unique(std::span<const Value> values) const;
  // "(a, lower(b))=(1, x)", as errors show a key.
  std::string description(std::span<const Value> values, const CallContext& call) const;
  // Columns only, and all rows.
  bool is_plain() const { return programs_.empty() && !predicate_; }

 private:
  catalog::DefinitionPtr table_;
  catalog::DefinitionPtr index_;
  // Of the keys that are no columns, in their order.
  std::vector<query::ExpressionPtr> expressions_;
  std::vector<query::Program> programs_;
  query::Program predicate_;
  Row values_;
};

}  // namespace polarsim::engine::executor
