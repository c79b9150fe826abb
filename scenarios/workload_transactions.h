// What the append and the register workload share: transactions of micro-operations over keys that are used for a while
// and then left.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scenarios/shard_map.h"
#include "scenarios/workload.h"
#include "scenarios/workload_session.h"

namespace polarsim::scenarios {

// Keys in use. A key that has been written often enough makes room for a new one, so that lists stay short and keys
// begin again from nothing. Values count up from 1 per key: no value is ever written twice.
class KeyPool {
 public:
  KeyPool(std::int64_t keys, std::int64_t writes_per_key);
  std::int64_t draw_key(sim::RandomStream& stream) const;
  // The next value of the key; the key leaves the pool after its last one.
  std::int64_t next_value(std::int64_t key);
  // Every key that was ever written, sorted.
  std::vector<std::int64_t> written_keys() const;

 private:
  std::int64_t writes_per_key_;
  std::vector<std::int64_t> active_;
  std::int64_t next_key_;
  std::map<std::int64_t, std::int64_t> last_value_;
};

class TransactionWorkload : public Workload {
 public:
  void client(int number, sim::Host& host, const std::function<bool()>& stop) override;
  void final_reads(sim::Host& host) override;

 protected:
  TransactionWorkload(const WorkloadContext& context, std::int64_t writes_per_key);

  // --- what differs ---
  virtual checkers::MicroOp::Kind read_kind() const = 0;
  virtual checkers::MicroOp::Kind write_kind() const = 0;
  // Carries one micro-operation out in SQL; a read fills in what it saw.
  virtual void carry_out(WorkloadSession& session, checkers::MicroOp& operation) = 0;

  // Runs statements on the first coordinator, in order.
  void run_statements(const std::vector<std::string>& statements);
  // If somebody watches: finds out where rows of the table are, so that the history can tell of each key in use.
  void watch_placement(const std::string& table);

  WorkloadContext context_;

 private:
  checkers::Transaction draw_transaction(sim::RandomStream& stream);
  // Records the operation from invocation to completion.
  WorkloadSession::Outcome run_transaction(WorkloadSession& session, std::int64_t process,
                                           checkers::Transaction transaction, WorkloadSession::Mode mode, bool final);

  // Records where keys are of which the history does not tell yet.
  void record_placement(const checkers::Transaction& transaction);

  KeyPool keys_;
  std::optional<ShardMap> shards_;
  std::set<std::int64_t> placed_;
};

// keys, operations_minimum, operations_maximum, read_fraction, read_first_fraction and the common ones.
std::vector<ParameterInfo> transaction_parameters();

}  // namespace polarsim::scenarios
