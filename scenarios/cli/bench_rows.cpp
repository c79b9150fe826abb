// A million rows in one node, as a client puts them there.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/node/instance.h"
#include "scenarios/cli/bench_process.h"
#include "scenarios/cli/bench_session.h"
#include "scenarios/cli/bench_store.h"
#include "scenarios/cli/benchmarks.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

namespace {

constexpr std::size_t row_count = 1'000'000;
constexpr std::size_t rows_of_a_statement = 500;
// With the integer beside it, a row is 100 bytes of values.
constexpr std::size_t text_bytes = 92;

std::string insert_text() {
  std::string text = "INSERT INTO rows VALUES ";
  for (std::size_t i = 0; i < rows_of_a_statement; ++i)
    text += fmt::format("{}(${}, ${})", i == 0 ? "" : ", ", 2 * i + 1, 2 * i + 2);
  return text;
}

// Calls `look` after each statement.
void load_rows(sim::Host& host, const std::function<void()>& look) {
  const engine::NodeConfig config;
  const std::unique_ptr<engine::Instance> instance = engine::Instance::open(host, config);
  BenchSession client(host, *instance);
  client.execute("CREATE TABLE rows (id bigint PRIMARY KEY, data text)");
  const std::string insert = insert_text();
  std::vector<engine::Value> parameters(2 * rows_of_a_statement);
  for (std::size_t row = 0; row < row_count; row += rows_of_a_statement) {
    for (std::size_t i = 0; i < rows_of_a_statement; ++i) {
      parameters[2 * i] = engine::Value::text(std::to_string(row + i));
      parameters[2 * i + 1] = engine::Value::text(fmt::format("{:0>{}}", row + i, text_bytes));
    }
    client.execute(insert, parameters);
    look();
  }
  if (client.value("SELECT count(*) FROM rows") != std::to_string(row_count))
    throw std::logic_error("bench: rows are missing");
  look();
}

}  // namespace

std::vector<Measurement> bench_rows() {
  // The child's second result comes by way of a second run: one number a process.
  const double bytes = in_own_process([] {
    const double before = resident_bytes();
    double most = before;
    BenchMachine().run([&](sim::Host& host) { load_rows(host, [&most] { most = std::max(most, resident_bytes()); }); });
    return most - before;
  });
  const double seconds = in_own_process([] {
    const double start = processor_seconds();
    BenchMachine().run([](sim::Host& host) { load_rows(host, [] {}); });
    return processor_seconds() - start;
  });
  return {{"storage/rows-memory", bytes / 1e6, "MB",
           "most that a node with 1,000,000 rows of 100 bytes took while they came, simulated disk included", "<= 400"},
          {"storage/rows-insert", seconds == 0 ? 0 : static_cast<double>(row_count) / seconds, "rows/s",
           "the same rows, 500 to a statement and a transaction, with a primary key, and counted"}};
}

}  // namespace polarsim::scenarios::cli
