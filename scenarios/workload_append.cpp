// Appends to and reads of lists: Jepsen's list-append workload over a table of comma-separated texts.
#include <charconv>

#include "scenarios/workload_transactions.h"

namespace polarsim::scenarios {
namespace {

using checkers::MicroOp;

constexpr const char* append_sql =
    "INSERT INTO lists (k, v) VALUES ($1, $2) ON CONFLICT (k) DO UPDATE SET v = lists.v || ',' || EXCLUDED.v";
constexpr const char* read_sql = "SELECT v FROM lists WHERE k = $1";

// False if `text` is not a comma-separated list of integers.
bool parse_list(std::string_view text, std::vector<std::int64_t>& list) {
  const char* position = text.data();
  const char* const end = position + text.size();
  while (true) {
    std::int64_t element = 0;
    const auto [next, error] = std::from_chars(position, end, element);
    if (error != std::errc()) return false;
    list.push_back(element);
    if (next == end) return true;
    if (*next != ',') return false;
    position = next + 1;
  }
}

class AppendWorkload final : public TransactionWorkload {
 public:
  explicit AppendWorkload(const WorkloadContext& context)
      : TransactionWorkload(context, context.parameters.integers.at("appends_per_key")) {}

  void set_up() override {
    run_statements({"CREATE TABLE lists (k int PRIMARY KEY, v text)", "SELECT create_distributed_table('lists', 'k')"});
    watch_placement("lists");
  }

 protected:
  MicroOp::Kind read_kind() const override { return MicroOp::Kind::read_list; }
  MicroOp::Kind write_kind() const override { return MicroOp::Kind::append; }

  void carry_out(WorkloadSession& session, MicroOp& operation) override {
    if (operation.kind == MicroOp::Kind::append) {
      session.execute(append_sql,
                      {engine::Value::integer(operation.key), engine::Value::text(std::to_string(operation.argument))});
      return;
    }
    const engine::QueryResult result = session.execute(read_sql, {engine::Value::integer(operation.key)});
    operation.known = true;
    operation.list.clear();
    if (result.rows.empty()) return;
    const engine::Value& value = result.rows.front().at(0);
    if (result.rows.size() > 1 || value.is_null() || !parse_list(value.as_text(), operation.list)) {
      const std::string shown(value.is_null() ? "NULL" : value.as_text());
      context_.simulation.violate("malformed-read", "key " + std::to_string(operation.key) + ": " +
                                                        std::to_string(result.rows.size()) + " rows, first value " +
                                                        shown);
    }
  }
};

}  // namespace

WorkloadInfo append_workload() {
  WorkloadInfo info{};
  info.name = "append";
  info.summary = "transactions of appends to and reads of lists, for the list-append checker";
  info.parameters = transaction_parameters();
  info.parameters.push_back(
      integer_parameter("appends_per_key", 40, 1, 10'000, "appends to a key before a new one replaces it"));
  info.make = [](const WorkloadContext& context) -> std::unique_ptr<Workload> {
    return std::make_unique<AppendWorkload>(context);
  };
  return info;
}

}  // namespace polarsim::scenarios
