// COPY: a part of LocalSession.
#include <utility>

#include "engine/executor/copy.h"
#include "engine/node/local_session.h"
#include "engine/node/session_checks.h"

namespace polarsim::engine {

QueryResult LocalSession::run_copy(const syntax::Copy& statement) {
  const std::vector<std::string> path = search_path();
  executor::CatalogRelations relations(database_, relations_, *transaction_, path);
  executor::StatementSnapshot snapshot(database_, *transaction_);
  if (statement.from && !allows_catalog_changes()) {
    const query::RelationPtr table =
        relations.open(statement.table.schema, statement.table.name, syntax::TableLockMode::row_exclusive);
    if (table != nullptr) refuse_catalog_change(*table);
  }
  const plan::PlannerSettings planner = settled_.in_force->planner_settings();
  const auto check = [&](const query::QueryPtr& query) { refuse_change_if_read_only(*query); };
  const auto destination = [&](const query::RelationPtr& relation) {
    return hook_ == nullptr ? nullptr : hook_->copy_into(relation, statement);
  };
  const auto elsewhere = [&](const query::QueryPtr& query) -> executor::CopyInputs::Elsewhere {
    const QueryHook::PlanPtr hooked = hook_ == nullptr ? nullptr : hook_->plan(query);
    if (hooked == nullptr) return nullptr;
    return [this, hooked] { return hook_->rows_to_copy({*hooked, {}, {}}); };
  };
  return executor::copy(statement, {.database = database_,
                                    .transaction = *transaction_,
                                    .call = call_,
                                    .relations = relations,
                                    .snapshot = snapshot,
                                    .planner = planner,
                                    .stream = copy_stream_,
                                    .read_only = settled_.read_only,
                                    .check = check,
                                    .destination = destination,
                                    .elsewhere = elsewhere,
                                    .work_memory_bytes = settled_.in_force->work_memory_bytes()});
}

namespace {

// Bytes that are there already.
class BytesIn final : public CopyStream, private CopySource {
 public:
  explicit BytesIn(std::string_view bytes) : bytes_(bytes) {}
  CopySource& start_in(std::size_t /*columns*/, bool /*binary*/) override { return *this; }
  CopySink& start_out(std::size_t /*columns*/, bool /*binary*/) override {
    throw SqlError(sqlstate::internal_error, "nobody takes the rows of this COPY");
  }

 private:
  bool read(std::string& chunk) override {
    chunk = bytes_;
    bytes_ = {};
    return !chunk.empty();
  }
  std::string_view bytes_;
};

}  // namespace

QueryResult LocalSession::copy_in_here(const StatementRequest& request, std::string_view bytes) {
  BytesIn stream(bytes);
  struct Restore {
    CopyStream*& stream;
    CopyStream* const before;
    ~Restore() { stream = before; }
  };
  const Restore restore{copy_stream_, std::exchange(copy_stream_, &stream)};
  return run_here(request);
}

}  // namespace polarsim::engine
