#include "scenarios/cli/sql/places.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "engine/types/quote.h"

namespace polarsim::scenarios::cli::test {
namespace {

// A copy of a shard.
struct Place {
  std::string table;
  std::string key;  // empty: the table has one shard
  std::string shard;
  std::string shard_table;
  std::string node;
};

class Places {
 public:
  explicit Places(sql::Connection& cluster) : cluster_(cluster) {}
  ~Places() { cluster_.go_to(""); }
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  std::string run() {
    std::map<std::string, std::vector<std::string>> first_copies;
    std::string wrong;
    for (const Place& place : places()) {
      std::vector<std::string> rows = rows_of(on(place.node, "SELECT * FROM " + place.shard_table));
      const auto [first, is_first] = first_copies.emplace(place.shard, rows);
      if (!is_first && first->second != rows)
        wrong += fmt::format("{} on {} has not the rows of the first copy\n", place.shard_table, place.node);
      if (!place.key.empty()) wrong += keys_elsewhere(place);
    }
    return wrong;
  }

 private:
  sql::Answer on(const std::string& node, const std::string& statement) {
    cluster_.go_to(node + "/places");
    sql::Answer answer = cluster_.run(statement);
    if (answer.error)
      throw sql::ConnectionError(fmt::format("{}: {} {}", node, statement, sql::to_string(*answer.error)));
    return answer;
  }

  static std::vector<std::string> rows_of(const sql::Answer& answer) {
    std::vector<std::string> rows;
    for (const sql::AnswerRow& row : answer.rows) rows.push_back(sql::to_string(row));
    std::ranges::sort(rows);
    return rows;
  }

  std::vector<Place> places() {
    const sql::Answer answer =
        on("cn1",
           "SELECT quote_ident(n.nspname), c.relname, coalesce(p.partkey::text, ''), s.shardid, d.nodename "
           "FROM pg_dist_partition p JOIN pg_dist_shard s ON s.logicalrelid = p.logicalrelid "
           "JOIN pg_dist_placement l ON l.shardid = s.shardid JOIN pg_dist_node d ON d.groupid = l.groupid "
           "JOIN pg_class c ON c.oid = s.logicalrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
           "ORDER BY s.shardid, l.groupid");
    std::vector<Place> places;
    for (const sql::AnswerRow& row : answer.rows) {
      const std::string schema = row[0].value() + ".";
      const std::string shard = row[3].value();
      places.push_back({schema + engine::quote_identifier(row[1].value()), row[2].value(), shard,
                        schema + engine::quote_identifier(row[1].value() + "_" + shard), row[4].value()});
    }
    return places;
  }

  // Keys of the shard's rows whose shard is another.
  std::string keys_elsewhere(const Place& place) {
    const sql::Answer keys = on(
        place.node, fmt::format("SELECT DISTINCT {} FROM {}", engine::quote_identifier(place.key), place.shard_table));
    if (keys.rows.empty()) return "";
    std::string calls;
    for (const sql::AnswerRow& row : keys.rows) {
      if (!row[0]) return fmt::format("{} has a row without a key\n", place.shard_table);
      calls += calls.empty() ? "SELECT " : ", ";
      calls += fmt::format("get_shard_id_for_distribution_column({}, {})", engine::quote_literal(place.table),
                           engine::quote_literal(*row[0]));
    }
    const sql::AnswerRow shards = on("cn1", calls).rows.at(0);
    for (std::size_t i = 0; i < shards.size(); ++i) {
      if (shards[i] != place.shard)
        return fmt::format("{} has a row of the key {}, which is of {}\n", place.shard_table, keys.rows[i][0].value(),
                           shards[i].value_or("no shard"));
    }
    return "";
  }

  sql::Connection& cluster_;
};

}  // namespace

std::string misplaced_rows(sql::Connection& cluster) { return Places(cluster).run(); }

}  // namespace polarsim::scenarios::cli::test
