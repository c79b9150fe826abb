// Statements on one node: parsing, scans, joins, COPY; and COPY into a cluster.
#include <fmt/format.h>
#include <pg_query.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/node/statement_cache.h"
#include "engine/syntax/parser.h"
#include "scenarios/cli/bench_session.h"
#include "scenarios/cli/benchmarks.h"
#include "scenarios/cli/terminal.h"
#include "sim/simulation.h"

namespace polarsim::scenarios::cli {

namespace {

constexpr const char* statement =
    "UPDATE public.accounts_102008 SET balance = balance + $1 WHERE id = $2 RETURNING balance";

double parse_seconds() {
  return seconds_each([](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) engine::syntax::parse(statement);
  });
}

// PostgreSQL's grammar alone, its tree as protocol buffer or JSON included, as the library gives it.
double bare_parse_seconds() {
  return seconds_each([](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) pg_query_free_parse_result(pg_query_parse(statement));
  });
}

double cached_parse_seconds() {
  sim::Simulation simulation(sim::SimulationOptions{});
  engine::syntax::StatementCache cache = engine::make_statement_cache(simulation.scheduler(), 100);
  return seconds_each([&](std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) cache.parse(statement);
  });
}

// Lines "number<tab>number<tab>text", in packets as a network brings them.
class NumberedLines final : public engine::CopySource {
 public:
  explicit NumberedLines(std::size_t rows) : rows_(rows) {}
  bool read(std::string& chunk) override {
    constexpr std::size_t packet = 8192;
    chunk.clear();
    while (at_ < rows_ && chunk.size() < packet) {
      fmt::format_to(std::back_inserter(chunk), "{}\t{}\trow number {}\n", at_, at_ * 7919 % rows_, at_);
      ++at_;
    }
    return !chunk.empty();
  }

 private:
  std::size_t rows_;
  std::size_t at_ = 0;
};

void fill(BenchSession& session, const std::string& table, std::size_t rows, const std::string& key = {}) {
  session.execute(fmt::format("CREATE TABLE {} (id bigint {}, other bigint, data text)", table, key));
  NumberedLines lines(rows);
  session.copy_in(fmt::format("COPY {} FROM STDIN", table), lines);
  session.execute(fmt::format("ANALYZE {}", table));
}

void expect(BenchSession& session, const std::string& query, const std::string& answer) {
  const std::string found = session.value(query);
  if (found != answer) throw std::logic_error(fmt::format("bench: {} gives {}, not {}", query, found, answer));
}

// COPY FROM STDIN of a client of a coordinator: rows to the shards of two data nodes and their commit, all simulated.
double sharded_copy_seconds(const std::string& key, std::size_t rows) {
  double used = 0;
  with_bench_cluster([&](engine::pgwire::Client& client) {
    const auto run = [&client](std::string_view text) {
      auto result = client.query(text);
      if (!result) throw engine::SqlError(std::move(result.error()));
      return std::move(*result);
    };
    run(fmt::format("CREATE TABLE t (id bigint {}, other bigint, data text)", key));
    run("SELECT create_distributed_table('t', 'id')");
    NumberedLines lines(rows);
    const double start = processor_seconds();
    auto copied = client.copy_in("COPY t FROM STDIN", lines);
    if (!copied) throw engine::SqlError(std::move(copied.error()));
    used = processor_seconds() - start;
    const engine::QueryResult counted = run("SELECT count(*) FROM t");
    if (counted.rows.at(0).at(0).as_integer() != static_cast<std::int64_t>(rows))
      throw std::logic_error("bench: COPY into shards has lost rows");
  });
  return used;
}

// Of one execution, the fastest of several; the first one plans.
double query_seconds(BenchSession& session, const std::string& query, const std::string& answer) {
  double fastest = 1e9;
  for (int round = 0; round < 4; ++round) {
    const double start = processor_seconds();
    expect(session, query, answer);
    fastest = std::min(fastest, processor_seconds() - start);
  }
  return fastest;
}

}  // namespace

std::vector<Measurement> bench_sql_parse() {
  const double parse = parse_seconds();
  return {{"sql/parse", 1 / parse, "statements/s", "an UPDATE from its text"},
          {"sql/parse-ratio", parse / bare_parse_seconds(), "times", "pg_query_parse() of the same text", "<= 3"},
          {"sql/parse-cached", 1 / cached_parse_seconds(), "statements/s",
           "the same UPDATE when the node has parsed it before"}};
}

std::vector<Measurement> bench_sql_scan() {
  constexpr std::size_t rows = 300'000;
  double aggregate = 0;
  double filter = 0;
  double group = 0;
  double from_disk = 0;
  with_bench_node([&](sim::Host& host, engine::Instance& instance) {
    BenchSession session(host, instance);
    fill(session, "t", rows);
    aggregate = query_seconds(session, "SELECT sum(other) FROM t", fmt::format("{}", rows * (rows - 1) / 2));
    filter = query_seconds(session, "SELECT count(*) FROM t WHERE other < 1000", "1000");
    group = query_seconds(session, "SELECT max(n) FROM (SELECT count(*) AS n FROM t GROUP BY other % 100) AS g",
                          fmt::format("{}", rows / 100));
  });
  constexpr std::uint32_t few_buffers = 256;
  with_bench_node(
      [&](sim::Host& host, engine::Instance& instance) {
        BenchSession session(host, instance);
        fill(session, "t", rows);
        from_disk = query_seconds(session, "SELECT sum(other) FROM t", fmt::format("{}", rows * (rows - 1) / 2));
      },
      few_buffers);
  return {
      {"sql/scan-aggregate", rows / aggregate, "rows/s", "sum() of a column of 300,000 rows", ">= 5000000"},
      {"sql/scan-filter", rows / filter, "rows/s", "a condition on a column of the same rows", ">= 5000000"},
      {"sql/scan-group", rows / group, "rows/s", "the same rows in 100 groups"},
      {"sql/scan-disk", rows / from_disk, "rows/s", "the same sum where every page is read from the simulated disk"}};
}

std::vector<Measurement> bench_sql_copy() {
  constexpr std::size_t rows = 300'000;
  double plain = 0;
  double keyed = 0;
  with_bench_node([&](sim::Host& host, engine::Instance& instance) {
    BenchSession session(host, instance);
    const auto measure = [&](const std::string& table, const std::string& key) {
      session.execute(fmt::format("CREATE TABLE {} (id bigint {}, other bigint, data text)", table, key));
      NumberedLines lines(rows);
      const double start = processor_seconds();
      session.copy_in(fmt::format("COPY {} FROM STDIN", table), lines);
      const double used = processor_seconds() - start;
      expect(session, fmt::format("SELECT count(*) FROM {}", table), fmt::format("{}", rows));
      return used;
    };
    plain = measure("plain", "");
    keyed = measure("keyed", "PRIMARY KEY");
  });
  return {{"sql/copy", rows / plain, "rows/s", "COPY of two numbers and a text into a table of a node", ">= 300000"},
          {"sql/copy-key", rows / keyed, "rows/s", "the same with a primary key"},
          {"sql/copy-shards", rows / sharded_copy_seconds("", rows), "rows/s",
           "the same rows by a coordinator into 32 shards on two data nodes"},
          {"sql/copy-shards-key", rows / sharded_copy_seconds("PRIMARY KEY", rows), "rows/s",
           "the same with a primary key"}};
}

std::vector<Measurement> bench_sql_join() {
  constexpr std::size_t large = 100'000;
  constexpr std::size_t small = 25'000;
  double large_seconds = 0;
  double small_seconds = 0;
  with_bench_node([&](sim::Host& host, engine::Instance& instance) {
    BenchSession session(host, instance);
    const auto measure = [&](const std::string& name, std::size_t rows) {
      fill(session, name + "_a", rows);
      fill(session, name + "_b", rows);
      return query_seconds(session, fmt::format("SELECT count(*) FROM {0}_a a JOIN {0}_b b ON a.id = b.other", name),
                           fmt::format("{}", rows));
    };
    large_seconds = measure("large", large);
    small_seconds = measure("small", small);
  });
  return {{"sql/join", large / large_seconds, "rows/s", "hash join of two tables of 100,000 rows each, of either one"},
          {"sql/join-growth", large_seconds / small_seconds / (large / small), "times",
           "the cost of a row of the same join over the one with 25,000 rows; quadratic would be 4", "<= 3"}};
}

}  // namespace polarsim::scenarios::cli
