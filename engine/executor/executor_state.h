// What all nodes of a run share: where it runs, the plan's parameters, subplans, common tables, work tables
// (PostgreSQL's EState, src/include/nodes/execnodes.h).
//
// Parameters of the plan have versions. Whoever keeps rows that were computed from parameters (a sort, a hash table, a
// materialisation, a subplan without arguments) remembers the versions, and computes them again only if one has changed
// (PostgreSQL's chgParam). Work tables count as parameters.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "engine/executor/executor.h"
#include "engine/query/program.h"

namespace polarsim::engine::executor {

class NodeState;
class RowStore;
class SubplanState;

// A table that is open: its definition as the transaction sees it now.
struct OpenTable {
  query::RelationPtr relation;
  catalog::TablePtr table;
  const txn::HeapTable& heap() const { return table->heap; }
  // By RelationIndex::id. Throws XX000 if there is none.
  const catalog::Index& index(std::uint32_t id) const;
  // Values of rows that were made before the table had all of its columns; NULL beyond its end.
  Row missing;
  void widen(Row& row) const {
    while (row.size() < relation->columns.size())
      row.push_back(row.size() < missing.size() ? missing[row.size()] : Value::null());
  }
};

// Numbers of parameters and work tables, sorted: what some rows were computed from.
using Dependencies = std::vector<int>;

// What the rows of scans are when a plan is run again over rows that were found before, by entry of the plan's scans
// (PostgreSQL's EPQState::relsubs_slot).
struct RecheckRow {
  bool present = false;             // false: the scan gives no row (the null-extended side of an outer join)
  bool ignores_conditions = false;  // PlantedBug::recheck_set_but_not_where
  Row row;                          // as the scan sees it, system columns included
};
using RecheckRows = std::map<int, RecheckRow>;

// Rows that several scans read, computed as far as somebody has asked.
struct CommonTable {
  std::unique_ptr<NodeState> plan;
  std::unique_ptr<RowStore> rows;
  bool complete = false;
  std::uint64_t version = 0;  // of what the rows are computed from
};

class ExecutorState final : public query::SubplanRunner {
 public:
  ExecutorState(const plan::PlannedStatement& planned, const ExecutionInputs& from, const txn::Snapshot& seen);
  ~ExecutorState();
  ExecutorState(const ExecutorState&) = delete;
  ExecutorState& operator=(const ExecutorState&) = delete;

  const plan::PlannedStatement& statement;
  const ExecutionInputs inputs;
  const txn::Snapshot& snapshot;
  // Set in the states of a second run over rows that were found before.
  const RecheckRows* recheck = nullptr;
  ExecutorState* first_run = nullptr;

  Database& database() const { return inputs.database; }
  txn::Transaction& transaction() const { return inputs.transaction; }
  const CallContext& call() const { return inputs.call; }
  // Simulated time does not pass by itself while a statement computes, so that nobody could end one that goes on
  // forever: a long one pauses now and then, as if its rows had taken that time; short ones never do. May block.
  void check_interrupts() const {
    constexpr std::uint32_t checks_between_pauses = 1U << 16;
    inputs.transaction.backend->check_interrupts();
    if (++checks_ < checks_between_pauses) return;
    pause();
  }
  void pause() const;
  const OpenTable& open(const query::RelationPtr& relation);

  query::ProgramInputs program_inputs(RowView first, RowView second) {
    return {first, second, inputs.parameters, this};
  }

  // --- parameters of the plan ---
  void set_parameter(int index, const Value& value);
  const Value& parameter(int index) override;
  int work_table_dependency(int work_table) const { return statement.plan_parameters + work_table; }
  // The sum of the versions: it grows whenever one of them changes.
  std::uint64_t version(const Dependencies& dependencies) const;

  // --- subplans ---
  Value run(const query::Subplan& subplan, std::span<const Value> arguments, query::LeftSide& left) override;
  CommonTable& common_table(int subplan);
  // Forgets the rows if they were computed from parameters that have changed.
  void renew(CommonTable& table);
  // Has the row of that number been computed, or can it be? Reads it into the table's store.
  bool fetch_common_row(CommonTable& table, std::uint64_t number);
  // Common tables that change data are run to the end.
  void finish_changes();

  // --- foreign keys ---
  ForeignKeyQueue& foreign_keys();
  // What the statement's changes ask for, unless it is such a consequence itself.
  void fire_foreign_keys();

  // --- work tables ---
  const RowStore* work_table(int index) const { return work_tables_[static_cast<std::size_t>(index)]; }
  void set_work_table(int index, const RowStore* rows);

  // For a second run: parameters as they are in the first, which outlives this.
  void copy_parameters(const ExecutorState& from);

  // Null if nothing is measured.
  plan::NodeMeasurement* measurement(const plan::Plan& plan);
  const plan::NodeMeasurement* find_measurement(const plan::Plan& plan) const;

 private:
  SubplanState& subplan_state(int subplan);

  mutable std::uint32_t checks_ = 0;  // for interrupts, since the last pause

  std::map<std::uint32_t, OpenTable> tables_;
  std::vector<Value> parameters_;
  std::vector<std::uint64_t> versions_;  // of parameters, then of work tables
  std::vector<int> initial_plan_of_;     // the subplan that gives a parameter its value; -1: none, or it has it
  std::vector<std::unique_ptr<SubplanState>> subplans_;
  std::vector<std::unique_ptr<CommonTable>> common_tables_;
  std::vector<const RowStore*> work_tables_;
  std::unique_ptr<ForeignKeyQueue> foreign_keys_;
  // Looked up by address, never gone through.
  boost::unordered_flat_map<const plan::Plan*, std::unique_ptr<plan::NodeMeasurement>> measurements_;
};

}  // namespace polarsim::engine::executor
