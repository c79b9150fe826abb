// How often a statement over several shards sees half of a transaction: one client moves an amount from one row to
// another, over and over, another adds up all rows in single statements, as fast as they can. In turn the two
// rows lie on two nodes, in two shards of one node, and in one shard.
//
// Reproduces an experiment with the closest open relative: docs/checkers.md, "Exposure".
#include <algorithm>
#include <array>
#include <optional>

#include "engine/types/text_form.h"
#include "scenarios/shard_map.h"
#include "scenarios/transaction_watch.h"
#include "scenarios/workload.h"
#include "scenarios/workload_session.h"

namespace polarsim::scenarios {
namespace {

using namespace std::chrono_literals;
using checkers::EventType;
using checkers::Transfer;
using engine::Value;

constexpr const char* take_sql = "UPDATE accounts SET balance = balance - 1 WHERE id = $1";
constexpr const char* give_sql = "UPDATE accounts SET balance = balance + 1 WHERE id = $1";
constexpr const char* sum_sql = "SELECT sum(balance) FROM accounts";

struct Case {
  const char* name;
  bool same_node, same_shard, repeatable_read;
};
constexpr std::array<Case, 4> cases{{
    {"two-nodes", false, false, false},
    {"one-node", true, false, false},
    {"one-node-repeatable-read", true, false, true},
    {"one-shard", true, true, false},
}};

class MeterWorkload final : public Workload {
 public:
  explicit MeterWorkload(const WorkloadContext& context)
      : context_(context),
        accounts_(context.parameters.integers.at("accounts")),
        balance_(context.parameters.integers.at("initial_balance")),
        case_length_(std::chrono::seconds(context.parameters.integers.at("case_s"))) {
    const std::string& wanted = context.parameters.texts.at("case");
    for (const Case& one : cases) {
      if (wanted == "all" || wanted == one.name) cases_.push_back(&one);
    }
  }

  void set_up() override {
    WorkloadSession session(context_, *context_.client_hosts.front(), "client/setup");
    session.connect_to(context_.cluster.coordinator_names().front());
    session.command("CREATE TABLE accounts (id int PRIMARY KEY, balance bigint)");
    session.command("SELECT create_distributed_table('accounts', 'id')");
    for (std::int64_t id = 1; id <= accounts_; ++id) {
      session.command("INSERT INTO accounts (id, balance) VALUES ($1, $2)",
                      {Value::integer(id), Value::integer(balance_)});
    }
    shards_.emplace(session, "accounts");
    for (const Case* const one : cases_) partners_.push_back(partner(*one));
    begun_ = context_.simulation.now();
  }

  // Client 1 writes, the others read.
  void client(int number, sim::Host& host, const std::function<bool()>& stop) override {
    WorkloadSession session(context_, host, "client/" + std::to_string(number));
    std::int64_t process = context_.recorder.new_process();
    record_placement();
    while (session.connect(stop)) {
      const std::size_t turn = turn_now();
      const auto outcome = number == 1 ? transfer(session, process, turn) : sum(session, process, turn, false);
      if (outcome.type == EventType::info) process = context_.recorder.new_process();
      if (context_.parameters.reals.at("pause_ms") > 0) think(context_, session);
    }
  }

  void final_reads(sim::Host& host) override {
    WorkloadSession session(context_, host, "client/final");
    const std::int64_t process = context_.recorder.new_process();
    for (const std::string& coordinator : context_.cluster.coordinator_names()) {
      read_until_ok(session, context_.simulation, coordinator, [&] { return sum(session, process, turn_now(), true); });
    }
  }

 private:
  // The account that transfers of the case go to; they come from account 1.
  std::int64_t partner(const Case& one) {
    for (std::int64_t id = 2; id <= accounts_; ++id) {
      if ((shards_->node_of(id) == shards_->node_of(1)) == one.same_node &&
          (shards_->shard_of(id) == shards_->shard_of(1)) == one.same_shard) {
        return id;
      }
    }
    throw engine::SqlError(engine::sqlstate::internal_error, std::string("no account lies as the case ") + one.name +
                                                                 " needs it: set workload.accounts or the cluster");
  }

  std::size_t turn_now() const {
    const auto turn = static_cast<std::size_t>((context_.simulation.now() - begun_) / case_length_);
    return std::min(turn, cases_.size() - 1);
  }

  void record_placement() {
    if (context_.watch == nullptr || placed_) return;
    placed_ = true;
    std::string text;
    for (std::int64_t id = 1; id <= accounts_; ++id)
      text += (id == 1 ? "" : " ") + std::to_string(id) + " \"" + shards_->node_of(id) + "\"";
    context_.recorder.add(checkers::nemesis_process, EventType::info, "placement", checkers::Opaque{"{" + text + "}"});
  }

  std::vector<std::pair<std::string, std::string>> fields(const WorkloadSession& session, std::size_t turn) const {
    auto fields = session.fields();
    fields.emplace_back("case", "\"" + std::string(cases_[turn]->name) + "\"");
    return fields;
  }

  WorkloadSession::Outcome transfer(WorkloadSession& session, std::int64_t process, std::size_t turn) {
    const Transfer value{1, partners_[turn], 1};
    context_.recorder.add(process, EventType::invoke, "transfer", value, fields(session, turn));
    if (context_.watch != nullptr) context_.watch->operation_begun(session.watched_as());
    const auto outcome = session.run(WorkloadSession::Mode::transaction, true, [&] {
      session.execute(take_sql, {Value::integer(value.from)});
      session.execute(give_sql, {Value::integer(value.to)});
    });
    context_.recorder.add(process, outcome.type, "transfer", value, session.fields(outcome));
    return outcome;
  }

  WorkloadSession::Outcome sum(WorkloadSession& session, std::int64_t process, std::size_t turn, bool final) {
    const bool repeatable_read = cases_[turn]->repeatable_read;
    auto asked = fields(session, turn);
    if (final) asked.emplace_back("final?", "true");
    context_.recorder.add(process, EventType::invoke, "sum", std::monostate{}, std::move(asked));
    if (context_.watch != nullptr) context_.watch->operation_begun(session.watched_as());
    std::string seen;
    std::string snapshots;
    const auto mode = repeatable_read ? WorkloadSession::Mode::transaction : WorkloadSession::Mode::autocommit;
    const auto outcome = session.run(mode, false, [&] {
      if (repeatable_read) session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
      seen = engine::plain_text(session.execute(sum_sql).rows.at(0).at(0));
      if (context_.watch != nullptr) snapshots = context_.watch->snapshots(session.watched_as());
    });
    auto told = session.fields(outcome);
    if (final) told.emplace_back("final?", "true");
    checkers::Value value;
    if (outcome.type == EventType::ok) {
      value = checkers::Opaque{seen};
      if (!snapshots.empty()) told.emplace_back("snapshots", snapshots);
    }
    context_.recorder.add(process, outcome.type, "sum", std::move(value), std::move(told));
    return outcome;
  }

  WorkloadContext context_;
  std::int64_t accounts_;
  std::int64_t balance_;
  sim::Duration case_length_;
  std::vector<const Case*> cases_;
  std::vector<std::int64_t> partners_;  // by case
  std::optional<ShardMap> shards_;
  sim::Time begun_ = sim::time_zero;
  bool placed_ = false;
};

}  // namespace

WorkloadInfo meter_workload() {
  WorkloadInfo info{};
  info.name = "meter";
  info.summary = "one writer of two rows and readers of their sum, placed in four ways, for the anomaly-meter checker";
  info.parameters = {
      integer_parameter("clients", 2, 2, 100, "one that writes, and those that read"),
      real_parameter("pause_ms", 0, 0, 3'600'000, "mean pause of a client between two operations, in milliseconds"),
      real_parameter("operation_deadline_s", 20, 1, 3600, "after this long a client gives an operation up, in seconds"),
      integer_parameter("accounts", 20, 2, 10'000, "rows that a sum adds up"),
      integer_parameter("initial_balance", 100, 0, 1'000'000'000, "of each row"),
      integer_parameter("case_s", 8, 1, 86'400, "length of each case; the last one goes on to the end"),
      text_parameter("case", "all", {"all", "two-nodes", "one-node", "one-node-repeatable-read", "one-shard"},
                     "where the two rows lie and how they are read; all: in turn"),
  };
  info.make = [](const WorkloadContext& context) -> std::unique_ptr<Workload> {
    return std::make_unique<MeterWorkload>(context);
  };
  return info;
}

std::vector<std::string> whole_meter_cases() {
  std::vector<std::string> names;
  for (const Case& one : cases) {
    if (one.same_shard || one.repeatable_read) names.emplace_back(one.name);
  }
  return names;
}

}  // namespace polarsim::scenarios
