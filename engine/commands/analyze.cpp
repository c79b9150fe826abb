#include "engine/commands/analyze.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "engine/commands/column_statistics.h"
#include "engine/commands/objects.h"
#include "engine/executor/system_views.h"

namespace polarsim::engine::commands {

namespace {

// So many rows tell the shape of a histogram of that many groups, whatever the size of the table (Chaudhuri, Motwani
// and Narasayya, SIGMOD 1998).
constexpr std::size_t sample_rows = 300 * statistics_target;

struct Sample {
  std::vector<txn::VisibleRow> rows;  // in order of their places
  double table_rows = 0;
  double pages = 0;
};

class Sampler {
 public:
  Sampler(Database& database, txn::Transaction& transaction, const catalog::Table& table)
      : database_(database), transaction_(transaction), table_(table), random_(table.id) {}

  // Among the rows of the chosen pages all have the same chance (Vitter's algorithm R).
  Sample take() {
    const txn::ActiveSnapshot snapshot(database_.transactions(), transaction_, txn::ActiveSnapshot::Latest::snapshot);
    const storage::BlockNumber pages = database_.files().block_count(table_.heap.relation);
    sample_.pages = static_cast<double>(pages);
    const std::vector<storage::BlockNumber> chosen = choose_pages(pages, sample_rows, random_);
    txn::Heap::Scan scan(database_.heap(), table_.heap, transaction_, *snapshot);
    for (const storage::BlockNumber page : chosen) {
      scan.look_at(page);
      for (std::vector<txn::VisibleRow> rows; scan.next(rows);) add(rows);
    }
    std::sort(sample_.rows.begin(), sample_.rows.end(),
              [](const txn::VisibleRow& a, const txn::VisibleRow& b) { return a.tid < b.tid; });
    if (!chosen.empty())
      sample_.table_rows = std::floor(seen_ / static_cast<double>(chosen.size()) * sample_.pages + 0.5);
    return std::move(sample_);
  }

 private:
  void add(std::vector<txn::VisibleRow>& rows) {
    for (txn::VisibleRow& row : rows) {
      transaction_.backend->check_interrupts();
      seen_ += 1;
      catalog::complete_row(table_, row.row);
      if (sample_.rows.size() < sample_rows) {
        sample_.rows.push_back(std::move(row));
        continue;
      }
      const auto place = static_cast<std::size_t>(random_.next_fraction() * seen_);
      if (place < sample_rows) sample_.rows[place] = std::move(row);
    }
  }

  Database& database_;
  txn::Transaction& transaction_;
  const catalog::Table& table_;
  RandomSequence random_;
  Sample sample_;
  double seen_ = 0;
};

catalog::TableStatistics statistics_of(const Sample& sample, const Definition& table, const std::vector<int>& columns) {
  catalog::TableStatistics result = table.statistics.value_or(catalog::TableStatistics{});
  result.pages = sample.pages;
  result.rows = sample.table_rows;
  // What is known of rows that have gone is better than nothing.
  if (sample.rows.empty()) return result;
  std::vector<Value> values(sample.rows.size());
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const int number = static_cast<int>(i) + 1;
    const bool wanted = columns.empty() || std::find(columns.begin(), columns.end(), number) != columns.end();
    if (!wanted || table.columns[i].dropped) continue;
    for (std::size_t row = 0; row < values.size(); ++row) values[row] = sample.rows[row].row[i];
    catalog::ColumnStatistics computed = compute_statistics(values, table.columns[i].type, sample.table_rows);
    computed.column = number;
    std::erase_if(result.columns, [number](const auto& known) { return known.column == number; });
    result.columns.push_back(std::move(computed));
  }
  std::sort(result.columns.begin(), result.columns.end(),
            [](const auto& a, const auto& b) { return a.column < b.column; });
  return result;
}

std::vector<int> columns_named(const Definition& table, const std::vector<std::string>& names) {
  std::vector<int> columns;
  for (const std::string& name : names) {
    const int number = table.find_column(name);
    if (number == 0) {
      throw SqlError(sqlstate::undefined_column,
                     fmt::format("column \"{}\" of relation \"{}\" does not exist", name, table.name));
    }
    if (std::find(columns.begin(), columns.end(), number) != columns.end()) {
      throw SqlError(sqlstate::duplicate_column,
                     fmt::format("column \"{}\" of relation \"{}\" appears more than once", name, table.name));
    }
    columns.push_back(number);
  }
  return columns;
}

}  // namespace

// One by one, with the probability that leaves the right number to the rest (Knuth's algorithm S).
std::vector<storage::BlockNumber> choose_pages(storage::BlockNumber pages, std::size_t wanted, RandomSequence& random) {
  std::vector<storage::BlockNumber> chosen;
  const std::size_t count = std::min<std::size_t>(pages, wanted);
  for (storage::BlockNumber page = 0; chosen.size() < count; ++page) {
    const auto left = static_cast<double>(pages - page);
    if (random.next_fraction() * left < static_cast<double>(count - chosen.size())) chosen.push_back(page);
  }
  return chosen;
}

bool analyze_table(Database& database, txn::Transaction& transaction, catalog::RelationId id,
                   const std::vector<int>& columns, bool wait) {
  const txn::LockResult locked =
      database.locks().acquire(*transaction.backend, transaction.level().locks, txn::LockTag::of_relation(id),
                               LockMode::share_update_exclusive, wait);
  if (locked == txn::LockResult::not_available) return false;
  const catalog::TablePtr table = database.catalog().find_table(&transaction, id);
  if (table == nullptr || table->is_system()) return false;
  database.visit_append_point();
  const Sample sample = Sampler(database, transaction, *table).take();
  Definition changed = *table->description;
  changed.statistics = statistics_of(sample, *table->description, columns);
  database.catalog().alter(transaction, id, std::move(changed));
  return true;
}

void analyze(CommandContext& context, const syntax::Vacuum& statement) {
  const bool wait = !statement.skip_locked;
  if (statement.tables.empty()) {
    for (const catalog::TablePtr& table : context.catalog().tables(&context.transaction)) {
      if (!table->is_system()) analyze_table(context.database, context.transaction, table->id, {}, wait);
    }
    return;
  }
  for (const syntax::TableName& name : statement.tables) {
    const std::optional<Relation> found = find(context, name);
    if (!found) {
      if (executor::find_system_view(name.schema, name.name) != nullptr) continue;
      throw SqlError(sqlstate::undefined_table, fmt::format("relation \"{}\" does not exist", written_name(name)));
    }
    if (found->description->kind != RelationKind::table) {
      ErrorFields warning;
      warning.sqlstate = sqlstate::warning;
      warning.message = fmt::format("skipping \"{}\" --- cannot analyze non-tables or special system tables",
                                    found->description->name);
      context.notices.push_back(std::move(warning));
      continue;
    }
    const std::vector<int> columns = columns_named(*found->description, name.column_aliases);
    if (analyze_table(context.database, context.transaction, found->id, columns, wait) || wait) continue;
    ErrorFields warning;
    warning.sqlstate = sqlstate::lock_not_available;
    warning.message = fmt::format("skipping analyze of \"{}\" --- lock not available", found->description->name);
    context.notices.push_back(std::move(warning));
  }
}

}  // namespace polarsim::engine::commands
