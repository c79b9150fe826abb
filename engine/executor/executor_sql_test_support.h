// For tests: SQL text from parsing to rows, one transaction a statement unless one is begun.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/commands/command.h"
#include "engine/executor/copy.h"
#include "engine/executor/executor.h"
#include "engine/executor/relations.h"
#include "engine/node/node_test_support.h"
#include "engine/node/session_services.h"
#include "engine/plan/planner.h"

namespace polarsim::engine::executor::testing {

// One session: several may run beside each other.
class SqlRunner {
 public:
  explicit SqlRunner(engine::testing::TestNode& node);
  ~SqlRunner();
  SqlRunner(const SqlRunner&) = delete;
  SqlRunner& operator=(const SqlRunner&) = delete;

  // What run() does until the end is one transaction; an error ends it, too.
  void begin(txn::IsolationLevel isolation = txn::IsolationLevel::read_committed);
  // The error that the end has met, if any, as of run().
  std::vector<std::string> commit();
  void rollback();

  // EXPLAIN of a SELECT is "rows=" and how many it expects; ANALYZE is known.
  // Rows as psql -At shows them, NULL as "null", then the tag unless it is that of a SELECT; an error is
  // "!ERROR SQLSTATE: message", with " / detail" if there is one.
  std::vector<std::string> run(std::string_view sql);

  plan::PlannerSettings settings;
  std::size_t work_memory_bytes = default_work_memory_bytes;
  CopyStream* copy_stream = nullptr;  // what COPY reads and writes
  ErrorFields last_error;             // of the last statement that failed

 private:
  std::vector<std::string> run_in(txn::Transaction& transaction, std::string_view sql);
  std::vector<std::string> run_query(const query::QueryPtr& query, txn::Transaction& transaction,
                                     const CallContext& call, StatementSnapshot& snapshot);

  Database& database_;
  txn::Backend& backend_;
  txn::Transaction* transaction_ = nullptr;
  RelationCache cache_;
  std::vector<std::string> path_{"public"};
};

}  // namespace polarsim::engine::executor::testing
