// For tests: SQL text from parsing to rows, one transaction a statement.
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

class SqlRunner {
 public:
  explicit SqlRunner(engine::testing::TestNode& node);

  // Rows as psql -At shows them, NULL as "null", then the tag unless it is that of a SELECT; an error is
  // "!ERROR SQLSTATE: message", with " / detail" if there is one.
  std::vector<std::string> run(std::string_view sql);

  plan::PlannerSettings settings;
  std::size_t work_memory_bytes = default_work_memory_bytes;
  CopyStream* copy_stream = nullptr;  // what COPY reads and writes
  ErrorFields last_error;             // of the last statement that failed

 private:
  std::vector<std::string> run_in(txn::Transaction& transaction, txn::Backend& backend, std::string_view sql);
  std::vector<std::string> run_query(const query::QueryPtr& query, txn::Transaction& transaction,
                                     const CallContext& call, StatementSnapshot& snapshot) const;

  Database& database_;
  RelationCache cache_;
  std::vector<std::string> path_{"public"};
};

}  // namespace polarsim::engine::executor::testing
