// Writes to and reads of registers.
#include "scenarios/workload_transactions.h"

namespace polarsim::scenarios {
namespace {

using checkers::MicroOp;

constexpr const char* write_sql =
    "INSERT INTO registers (k, v) VALUES ($1, $2) ON CONFLICT (k) DO UPDATE SET v = EXCLUDED.v";
constexpr const char* read_sql = "SELECT v FROM registers WHERE k = $1";

class RegisterWorkload final : public TransactionWorkload {
 public:
  explicit RegisterWorkload(const WorkloadContext& context)
      : TransactionWorkload(context, context.parameters.integers.at("writes_per_key")) {}

  void set_up() override {
    run_statements(
        {"CREATE TABLE registers (k int PRIMARY KEY, v bigint)", "SELECT create_distributed_table('registers', 'k')"});
  }

 protected:
  MicroOp::Kind read_kind() const override { return MicroOp::Kind::read; }
  MicroOp::Kind write_kind() const override { return MicroOp::Kind::write; }

  void carry_out(WorkloadSession& session, MicroOp& operation) override {
    if (operation.kind == MicroOp::Kind::write) {
      session.execute(write_sql, {engine::Value::integer(operation.key), engine::Value::integer(operation.argument)});
      return;
    }
    const engine::QueryResult result = session.execute(read_sql, {engine::Value::integer(operation.key)});
    operation.known = false;
    if (result.rows.empty()) return;
    if (result.rows.size() > 1 || result.rows.front().at(0).is_null()) {
      context_.simulation.violate("malformed-read", "key " + std::to_string(operation.key) + ": " +
                                                        std::to_string(result.rows.size()) + " rows or a NULL");
    }
    operation.known = true;
    operation.argument = result.rows.front().at(0).as_integer();
  }
};

}  // namespace

WorkloadInfo register_workload() {
  WorkloadInfo info{};
  info.name = "register";
  info.summary = "transactions of writes to and reads of registers, for the rw-register checker";
  info.parameters = transaction_parameters();
  info.parameters.push_back(
      integer_parameter("writes_per_key", 40, 1, 10'000, "writes to a key before a new one replaces it"));
  info.make = [](const WorkloadContext& context) -> std::unique_ptr<Workload> {
    return std::make_unique<RegisterWorkload>(context);
  };
  return info;
}

}  // namespace polarsim::scenarios
