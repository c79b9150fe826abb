// Statements of a client through a coordinator and a data node.
#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/distribution/planner.h"
#include "engine/query/analysis.h"
#include "engine/syntax/parser.h"
#include "scenarios/cli/bench_session.h"
#include "scenarios/cli/benchmarks.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"
#include "sim/scheduler.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::cli {

namespace {

using engine::Value;
namespace distribution = engine::distribution;

constexpr const char* select_text = "SELECT balance FROM account WHERE id = $1";

engine::QueryResult run(engine::pgwire::Client& client, std::string_view text, std::span<const Value> values = {}) {
  auto result = client.query(text, values);
  if (!result) throw engine::SqlError(std::move(result.error()));
  return std::move(*result);
}

// Of one call, after as many as it takes for each shard's text to be known to all.
double statement_seconds(const std::function<void(std::uint64_t)>& call) {
  constexpr std::uint64_t warm_up = 2'000;
  constexpr std::uint64_t count = 4'000;
  constexpr int rounds = 5;
  std::uint64_t number = 0;
  while (number < warm_up) call(number++);
  double fastest = 1e9;
  for (int round = 0; round < rounds; ++round) {
    if (interrupted()) throw Interrupted{};
    const double start = processor_seconds();
    for (std::uint64_t i = 0; i < count; ++i) call(number++);
    fastest = std::min(fastest, (processor_seconds() - start) / static_cast<double>(count));
  }
  return fastest;
}

Value number_text(std::uint64_t number) { return Value::text(std::to_string(number)); }

void expect_tag(const engine::QueryResult& result, std::string_view tag) {
  if (result.tag != tag) throw std::logic_error(fmt::format("bench: {} in place of {}", result.tag, tag));
}

// "account" (id int, balance bigint) in 32 shards on two nodes.
class TwoNodes final : public distribution::DistributionSource {
 public:
  TwoNodes() {
    constexpr int shards = 32;
    auto table = std::make_shared<distribution::TableDistribution>();
    table->column = 1;
    table->type = engine::TypeId::int4;
    table->colocation_id = 1;
    for (int i = 0; i < shards; ++i) {
      distribution::Shard shard;
      shard.id = 102'008 + i;
      const std::int64_t step = (std::int64_t{1} << 32) / shards;
      shard.low = static_cast<std::int32_t>(std::numeric_limits<std::int32_t>::min() + i * step);
      shard.high = static_cast<std::int32_t>(shard.low + step - 1);
      shard.groups = {1 + i % 2};
      table->shards.push_back(std::move(shard));
    }
    table_ = std::move(table);
  }
  distribution::TableDistributionPtr find(const engine::query::Relation& relation) override {
    return relation.name == "account" ? table_ : nullptr;
  }
  int own_group() const override { return 0; }
  std::vector<int> groups() const override { return {0, 1, 2}; }

 private:
  distribution::TableDistributionPtr table_;
};

}  // namespace

std::vector<Measurement> bench_sql_statements() {
  double insert = 0;
  double update = 0;
  double select = 0;
  double block = 0;
  with_bench_cluster([&](engine::pgwire::Client& client) {
    run(client, "CREATE TABLE account (id int PRIMARY KEY, balance bigint)");
    run(client, "SELECT create_distributed_table('account', 'id')");
    insert = statement_seconds([&](std::uint64_t i) {
      const std::vector<Value> values{number_text(i), number_text(100)};
      expect_tag(run(client, "INSERT INTO account (id, balance) VALUES ($1, $2)", values), "INSERT 0 1");
    });
    update = statement_seconds([&](std::uint64_t i) {
      const std::vector<Value> values{number_text(1), number_text(i * 37 % 20'000)};
      expect_tag(run(client, "UPDATE account SET balance = balance + $1 WHERE id = $2", values), "UPDATE 1");
    });
    select = statement_seconds([&](std::uint64_t i) {
      const std::vector<Value> values{number_text(i * 37 % 20'000)};
      expect_tag(run(client, select_text, values), "SELECT 1");
    });
    block = statement_seconds([&](std::uint64_t i) {
      run(client, "BEGIN");
      for (const std::uint64_t key : {i, i + 1}) {
        const std::vector<Value> values{number_text(1), number_text(key * 37 % 20'000)};
        run(client, "UPDATE account SET balance = balance + $1 WHERE id = $2", values);
      }
      run(client, "COMMIT");
    });
  });
  const char* const wanted = ">= 50000";
  return {{"sql/statement-insert", 1 / insert, "statements/core-s",
           "single-row INSERT through a coordinator and a data node, by the extended protocol", wanted},
          {"sql/statement-update", 1 / update, "statements/core-s", "UPDATE by key, the same way", wanted},
          {"sql/statement-select", 1 / select, "statements/core-s", "SELECT by key, the same way", wanted},
          {"sql/statement-block", 1 / block, "transactions/core-s",
           "BEGIN, two of the UPDATEs on any shards, COMMIT: half of them in two phases"}};
}

std::vector<Measurement> bench_sql_router() {
  double plan = 0;
  double route = 0;
  with_bench_node([&](sim::Host& host, engine::Instance& instance) {
    BenchSession session(host, instance);
    session.execute("CREATE TABLE account (id int PRIMARY KEY, balance bigint)");
    std::vector<engine::syntax::StatementPtr> parsed;
    host.scheduler().on_scheduler_stack([&] { parsed = engine::syntax::parse(select_text); });
    const auto& select = std::get<engine::syntax::Select>(parsed.at(0)->body);
    TwoNodes nodes;
    const distribution::DistributionSettings settings;
    distribution::PlanNumbers numbers;
    session.execute("BEGIN");
    session.session().run_as_statement({parsed[0], select_text}, [&] {
      session.session().with_analysis([&](const engine::query::AnalysisContext& analysis) {
        std::vector<engine::Type> types(1, engine::TypeId::unknown);
        const engine::query::QueryPtr query =
            engine::query::analyse(select, {analysis.relations, analysis.call, &types, true});
        const auto make_plan = [&] {
          return distribution::plan_distributed(query, {nodes, analysis.call, settings, numbers, {}});
        };
        plan = seconds_each([&](std::uint64_t count) {
          for (std::uint64_t i = 0; i < count; ++i) make_plan();
        });
        const distribution::DistributedPlanPtr kept = make_plan();
        route = seconds_each([&](std::uint64_t count) {
          for (std::uint64_t i = 0; i < count; ++i) {
            const std::vector<Value> values{Value::integer(static_cast<std::int64_t>(i))};
            if (!distribution::route(*kept->job, {analysis.call, values}))
              throw std::logic_error("bench: a SELECT by key is not routed");
          }
        });
      });
    });
    session.execute("ROLLBACK");
  });
  return {{"sql/router-plan", 1 / plan, "plans/s", "a SELECT by key, analysed, to its distributed plan"},
          {"sql/router-route", 1 / route, "values/s", "from a parameter's value to the shard and its text, planned"}};
}

}  // namespace polarsim::scenarios::cli
