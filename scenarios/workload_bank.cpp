// Transfers between accounts that lie on different data nodes, and reads of all accounts.
//
// The total of all balances never changes. A read in one plain SELECT takes a snapshot for each shard by itself, so it
// may see one half of a transfer (the fractured read that this kind of cluster permits); a read that locks every row
// first may not.
#include <algorithm>

#include "scenarios/workload.h"
#include "scenarios/workload_session.h"

namespace polarsim::scenarios {
namespace {

using checkers::Balances;
using checkers::EventType;
using checkers::Transfer;
using engine::Value;

constexpr const char* take_sql = "UPDATE accounts SET balance = balance - $1 WHERE id = $2";
constexpr const char* take_if_funded_sql = "UPDATE accounts SET balance = balance - $1 WHERE id = $2 AND balance >= $1";
constexpr const char* give_sql = "UPDATE accounts SET balance = balance + $1 WHERE id = $2";
constexpr const char* read_all_sql = "SELECT id, balance FROM accounts";
constexpr const char* read_locked_sql = "SELECT balance FROM accounts WHERE id = $1 FOR UPDATE";

class BankWorkload final : public Workload {
 public:
  explicit BankWorkload(const WorkloadContext& context)
      : context_(context),
        accounts_(context.parameters.integers.at("accounts")),
        negative_allowed_(context.parameters.switches.at("negative_allowed")),
        locked_reads_(context.parameters.texts.at("read_mode") == "locked") {}

  void set_up() override {
    WorkloadSession session(context_, *context_.client_hosts.front(), "client/setup");
    session.connect_to(context_.cluster.coordinator_names().front());
    session.command("CREATE TABLE accounts (id int PRIMARY KEY, balance bigint)");
    session.command("SELECT create_distributed_table('accounts', 'id')");
    const std::int64_t balance = context_.parameters.integers.at("initial_balance");
    for (std::int64_t id = 1; id <= accounts_; ++id) {
      session.command("INSERT INTO accounts (id, balance) VALUES ($1, $2)",
                      {Value::integer(id), Value::integer(balance)});
    }
  }

  void client(int number, sim::Host& host, const std::function<bool()>& stop) override {
    WorkloadSession session(context_, host, "client/" + std::to_string(number));
    sim::RandomStream& stream = session.random("operations");
    std::int64_t process = context_.recorder.new_process();
    while (session.connect(stop)) {
      const bool reads = stream.chance(context_.parameters.reals.at("read_fraction"));
      const EventType end =
          reads ? read(session, process, locked_reads_, false).type : transfer(session, process, stream).type;
      if (end == EventType::info) process = context_.recorder.new_process();
      // Now and then a client leaves, as pools do, and may come back to another coordinator.
      if (stream.chance(0.02)) session.disconnect();
      think(context_, session);
    }
  }

  void final_reads(sim::Host& host) override {
    WorkloadSession session(context_, host, "client/final");
    const std::int64_t process = context_.recorder.new_process();
    for (const std::string& coordinator : context_.cluster.coordinator_names()) {
      read_until_ok(session, context_.simulation, coordinator, [&] { return read(session, process, false, true); });
    }
  }

 private:
  WorkloadSession::Outcome transfer(WorkloadSession& session, std::int64_t process, sim::RandomStream& stream) {
    Transfer transfer;
    transfer.from = stream.between(1, accounts_);
    transfer.to = stream.between(1, accounts_ - 1);
    if (transfer.to >= transfer.from) ++transfer.to;
    transfer.amount = stream.between(1, context_.parameters.integers.at("largest_amount"));
    const bool unordered = stream.chance(context_.parameters.reals.at("unordered_fraction"));
    context_.recorder.add(process, EventType::invoke, "transfer", transfer, session.fields());
    const auto outcome = session.run(WorkloadSession::Mode::transaction, true, [&] {
      // In order of account numbers no two transfers can wait for each other in a circle.
      const bool take_first = unordered || transfer.from < transfer.to;
      if (take_first) take(session, transfer);
      session.execute(give_sql, {Value::integer(transfer.amount), Value::integer(transfer.to)});
      if (!take_first) take(session, transfer);
    });
    context_.recorder.add(process, outcome.type, "transfer", transfer, session.fields(outcome));
    return outcome;
  }

  void take(WorkloadSession& session, const Transfer& transfer) const {
    const char* const sql = negative_allowed_ ? take_sql : take_if_funded_sql;
    const auto result = session.execute(sql, {Value::integer(transfer.amount), Value::integer(transfer.from)});
    if (!negative_allowed_ && result.tag == "UPDATE 0") WorkloadSession::abandon("insufficient funds");
  }

  WorkloadSession::Outcome read(WorkloadSession& session, std::int64_t process, bool locked, bool final) {
    auto with_final = [final](std::vector<std::pair<std::string, std::string>> fields) {
      if (final) fields.emplace_back("final?", "true");
      return fields;
    };
    context_.recorder.add(process, EventType::invoke, "read", std::monostate{}, with_final(session.fields()));
    Balances balances;
    const auto mode = locked ? WorkloadSession::Mode::transaction : WorkloadSession::Mode::autocommit;
    const auto outcome =
        session.run(mode, false, [&] { balances = locked ? read_locked(session) : read_plain(session); });
    checkers::Value seen;
    if (outcome.type == EventType::ok) seen = std::move(balances);
    context_.recorder.add(process, outcome.type, "read", std::move(seen), with_final(session.fields(outcome)));
    return outcome;
  }

  Balances read_plain(WorkloadSession& session) const {
    Balances balances;
    const engine::QueryResult result = session.execute(read_all_sql);
    for (const engine::Row& row : result.rows) balances.emplace_back(row.at(0).as_integer(), row.at(1).as_integer());
    std::sort(balances.begin(), balances.end());
    return balances;
  }

  Balances read_locked(WorkloadSession& session) const {
    Balances balances;
    for (std::int64_t id = 1; id <= accounts_; ++id) {
      const engine::QueryResult result = session.execute(read_locked_sql, {Value::integer(id)});
      for (const engine::Row& row : result.rows) balances.emplace_back(id, row.at(0).as_integer());
    }
    return balances;
  }

  WorkloadContext context_;
  std::int64_t accounts_;
  bool negative_allowed_;
  bool locked_reads_;
};

}  // namespace

WorkloadInfo bank_workload() {
  WorkloadInfo info{};
  info.name = "bank";
  info.summary = "transfers between accounts and reads of all accounts, for the bank checker";
  info.parameters = common_parameters();
  info.parameters.push_back(integer_parameter("accounts", 12, 2, 10'000, "number of accounts"));
  info.parameters.push_back(
      integer_parameter("initial_balance", 100, 0, 1'000'000'000, "balance of each account at the start"));
  info.parameters.push_back(integer_parameter("largest_amount", 10, 1, 1'000'000, "most that one transfer moves"));
  info.parameters.push_back(boolean_parameter("negative_allowed", false, "whether a balance may go below zero"));
  info.parameters.push_back(
      real_parameter("read_fraction", 0.3, 0, 1, "fraction of operations that read all accounts"));
  info.parameters.push_back(text_parameter("read_mode", "plain", {"plain", "locked"},
                                           "plain: one SELECT of all; locked: SELECT ... FOR UPDATE row by row"));
  info.parameters.push_back(
      real_parameter("unordered_fraction", 0, 0, 1,
                     "fraction of transfers that take before they give, whatever the order of accounts"));
  info.make = [](const WorkloadContext& context) -> std::unique_ptr<Workload> {
    return std::make_unique<BankWorkload>(context);
  };
  return info;
}

}  // namespace polarsim::scenarios
