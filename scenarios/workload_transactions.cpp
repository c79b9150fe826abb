#include "scenarios/workload_transactions.h"

#include <algorithm>

#include "scenarios/transaction_watch.h"
#include "sim/assert.h"

namespace polarsim::scenarios {

using checkers::EventType;
using checkers::MicroOp;
using checkers::Transaction;

KeyPool::KeyPool(std::int64_t keys, std::int64_t writes_per_key)
    : writes_per_key_(writes_per_key), next_key_(keys + 1) {
  POLARSIM_ASSERT(keys > 0 && writes_per_key > 0, "a pool without keys");
  for (std::int64_t key = 1; key <= keys; ++key) active_.push_back(key);
}

std::int64_t KeyPool::draw_key(sim::RandomStream& stream) const { return stream.pick(active_); }

std::int64_t KeyPool::next_value(std::int64_t key) {
  const std::int64_t value = ++last_value_[key];
  if (value >= writes_per_key_) {
    const auto slot = std::find(active_.begin(), active_.end(), key);
    if (slot != active_.end()) *slot = next_key_++;
  }
  return value;
}

std::vector<std::int64_t> KeyPool::written_keys() const {
  std::vector<std::int64_t> keys;
  for (const auto& [key, value] : last_value_) keys.push_back(key);
  return keys;
}

TransactionWorkload::TransactionWorkload(const WorkloadContext& context, std::int64_t writes_per_key)
    : context_(context), keys_(context.parameters.integers.at("keys"), writes_per_key) {}

void TransactionWorkload::run_statements(const std::vector<std::string>& statements) {
  WorkloadSession session(context_, *context_.client_hosts.front(), "client/setup");
  session.connect_to(context_.cluster.coordinator_names().front());
  for (const std::string& statement : statements) session.command(statement);
}

void TransactionWorkload::watch_placement(const std::string& table) {
  if (context_.watch == nullptr) return;
  WorkloadSession session(context_, *context_.client_hosts.front(), "client/setup");
  session.connect_to(context_.cluster.coordinator_names().front());
  shards_.emplace(session, table);
}

void TransactionWorkload::record_placement(const Transaction& transaction) {
  if (!shards_) return;
  std::string text;
  for (const MicroOp& operation : transaction) {
    if (!placed_.insert(operation.key).second) continue;
    text += (text.empty() ? "" : " ") + std::to_string(operation.key) + " \"" + shards_->node_of(operation.key) + "\"";
  }
  if (text.empty()) return;
  context_.recorder.add(checkers::nemesis_process, EventType::info, "placement", checkers::Opaque{"{" + text + "}"});
}

Transaction TransactionWorkload::draw_transaction(sim::RandomStream& stream) {
  const WorkloadParameters& parameters = context_.parameters;
  const std::int64_t minimum = parameters.integers.at("operations_minimum");
  const std::int64_t maximum = std::max(minimum, parameters.integers.at("operations_maximum"));
  const std::int64_t count = stream.between(minimum, maximum);
  Transaction transaction;
  while (static_cast<std::int64_t>(transaction.size()) < count) {
    MicroOp operation;
    operation.key = keys_.draw_key(stream);
    const bool reads = stream.chance(parameters.reals.at("read_fraction"));
    const bool reads_first = stream.chance(parameters.reals.at("read_first_fraction"));
    if (reads) {
      operation.kind = read_kind();
      transaction.push_back(operation);
      continue;
    }
    // A read right before a write of the same key tells the checker the order of two versions.
    if (reads_first && static_cast<std::int64_t>(transaction.size()) + 1 < count) {
      operation.kind = read_kind();
      transaction.push_back(operation);
    }
    operation.kind = write_kind();
    operation.argument = keys_.next_value(operation.key);
    transaction.push_back(operation);
  }
  return transaction;
}

WorkloadSession::Outcome TransactionWorkload::run_transaction(WorkloadSession& session, std::int64_t process,
                                                              Transaction transaction, WorkloadSession::Mode mode,
                                                              bool final) {
  HistoryRecorder& recorder = context_.recorder;
  auto with_final = [final](std::vector<std::pair<std::string, std::string>> fields) {
    if (final) fields.emplace_back("final?", "true");
    return fields;
  };
  record_placement(transaction);
  recorder.add(process, EventType::invoke, "txn", transaction, with_final(session.fields()));
  TransactionWatch* const watch = session.watch();
  if (watch != nullptr) watch->operation_begun(session.watched_as());
  std::string snapshots;  // of the statements, if somebody watches
  const bool writes = std::any_of(transaction.begin(), transaction.end(),
                                  [this](const MicroOp& operation) { return operation.kind == write_kind(); });
  Transaction seen = transaction;
  const WorkloadSession::Outcome outcome = session.run(mode, writes, [&] {
    for (MicroOp& operation : seen) {
      carry_out(session, operation);
      if (watch != nullptr) snapshots += (snapshots.empty() ? "" : " ") + watch->snapshot(session.watched_as());
    }
  });
  // What an operation that did not succeed has read is no part of its promise.
  const bool ok = outcome.type == EventType::ok;
  auto fields = with_final(session.fields(outcome));
  if (ok && watch != nullptr) fields.emplace_back("snapshots", "[" + snapshots + "]");
  recorder.add(process, outcome.type, "txn", ok ? std::move(seen) : std::move(transaction), std::move(fields));
  return outcome;
}

void TransactionWorkload::client(int number, sim::Host& host, const std::function<bool()>& stop) {
  WorkloadSession session(context_, host, "client/" + std::to_string(number));
  sim::RandomStream& stream = session.random("operations");
  std::int64_t process = context_.recorder.new_process();
  while (session.connect(stop)) {
    const Transaction transaction = draw_transaction(stream);
    const bool autocommit = stream.chance(0.5) && transaction.size() == 1;
    const auto mode = autocommit ? WorkloadSession::Mode::autocommit : WorkloadSession::Mode::transaction;
    const WorkloadSession::Outcome outcome = run_transaction(session, process, transaction, mode, false);
    if (outcome.type == EventType::info) process = context_.recorder.new_process();
    // Now and then a client leaves, as pools do, and may come back to another coordinator.
    if (stream.chance(0.02)) session.disconnect();
    think(context_, session);
  }
}

void TransactionWorkload::final_reads(sim::Host& host) {
  WorkloadSession session(context_, host, "client/final");
  const std::int64_t process = context_.recorder.new_process();
  const std::vector<std::string> coordinators = context_.cluster.coordinator_names();
  const std::vector<std::int64_t> keys = keys_.written_keys();
  // Keys go around the coordinators in blocks: each of them must know the whole table.
  const std::size_t block = keys.size() / coordinators.size() + 1;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    MicroOp read;
    read.kind = read_kind();
    read.key = keys[i];
    read_until_ok(session, context_.simulation, coordinators[i / block],
                  [&] { return run_transaction(session, process, {read}, WorkloadSession::Mode::autocommit, true); });
  }
}

std::vector<ParameterInfo> transaction_parameters() {
  std::vector<ParameterInfo> parameters = common_parameters();
  parameters.push_back(integer_parameter("keys", 12, 1, 100'000, "keys in use at the same time"));
  parameters.push_back(integer_parameter("operations_minimum", 1, 1, 100, "fewest micro-operations of a transaction"));
  parameters.push_back(integer_parameter("operations_maximum", 4, 1, 100, "most micro-operations of a transaction"));
  parameters.push_back(real_parameter("read_fraction", 0.5, 0, 1, "fraction of micro-operations that read"));
  parameters.push_back(
      real_parameter("read_first_fraction", 0.2, 0, 1,
                     "fraction of writes with a read of the same key right before, where there is room"));
  return parameters;
}

}  // namespace polarsim::scenarios
