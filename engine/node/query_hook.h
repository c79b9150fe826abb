// What a coordinator puts between the analysis of a query and its execution (PostgreSQL's planner_hook): a session asks
// it about every query, and leaves those to it that it plans.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/executor/copy.h"
#include "engine/node/session.h"
#include "engine/plan/explain.h"
#include "engine/query/query.h"

namespace polarsim::engine {

class QueryHook {
 public:
  // What it has found out about a query; kept with the statement.
  class Plan {
   public:
    virtual ~Plan() = default;
    // Whether hooks of the same owner may run it, too.
    virtual bool is_common() const { return false; }
  };
  using PlanPtr = std::shared_ptr<const Plan>;
  // A query that is to be run: the plan, and the parameters with their values and types.
  struct Run {
    const Plan& plan;
    std::span<const Value> parameters;
    std::span<const Type> types;
  };

  // Null: an ordinary query, which the session plans and runs itself. The transaction is open; may block.
  virtual PlanPtr plan(const query::QueryPtr& query) = 0;
  // What plan() said before, null included, is still so as long as this number is the same.
  virtual std::uint64_t version() = 0;
  // Hooks of one owner say the same about a query while their versions are the same. Only compared.
  virtual const void* owner() const = 0;
  virtual QueryResult run(const Run& run) = 0;
  // The same for COPY TO. What `run` refers to must last as long as the rows.
  virtual std::unique_ptr<executor::CopiedRows> rows_to_copy(const Run& run) = 0;
  // The lines of EXPLAIN; runs the query if the options say ANALYZE.
  virtual std::vector<std::string> explain(const Run& run, const plan::ExplainOptions& options) = 0;
  // Where the rows of a COPY FROM go; null: into the node's own table. The relation is open and locked. Throws if the
  // statement is refused.
  virtual std::unique_ptr<executor::CopyDestination> copy_into(const query::RelationPtr& relation,
                                                               const syntax::Copy& statement) = 0;
  // A table of this node that holds a part of another one's rows: clients do not see it in lists of tables.
  virtual bool is_shard(std::uint32_t relation) = 0;

 protected:
  ~QueryHook() = default;
};

}  // namespace polarsim::engine
