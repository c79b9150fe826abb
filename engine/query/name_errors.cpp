// What to say of a name that means nothing (PostgreSQL's errorMissingRTE(), errorMissingColumn() and
// searchRangeTableForCol(), parse_relation.c): a hint if something similar exists, or if it exists and cannot be seen.
#include <fmt/format.h>

#include <algorithm>

#include "engine/query/named_relation.h"
#include "engine/query/scope.h"
#include "engine/query/system_columns.h"
#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

constexpr int farthest_suggestion = 3;

// Levenshtein's distance in bytes, or limit + 1 if it is farther than `limit`.
int distance(std::string_view a, std::string_view b, int limit) {
  if (limit < 0) return limit + 1;
  std::vector<int> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return std::min(row.back(), limit + 1);
}

// The best one or two candidates so far; three equally good ones are none.
class Suggestions {
 public:
  struct Candidate {
    const RangeTableEntry* entry = nullptr;
    std::string_view column;  // empty: the very name asked for, which cannot be seen
  };
  Candidate first;
  Candidate second;

  explicit Suggestions(std::string_view wanted) : wanted_(wanted) {}
  void consider(const RangeTableEntry& entry, std::string_view column, int penalty) {
    if (penalty > distance_ || column.empty()) return;
    int candidate_distance = distance(column, wanted_, distance_ + 1 - penalty);
    if (candidate_distance > static_cast<int>(wanted_.size()) / 2) return;
    candidate_distance += penalty;
    if (candidate_distance < distance_) {
      distance_ = candidate_distance;
      first = {&entry, column};
      second = {};
    } else if (candidate_distance == distance_) {
      if (second.entry != nullptr) {
        first = {};
        second = {};
        distance_ = candidate_distance - 1;
      } else if (first.entry != nullptr) {
        second = {&entry, column};
      } else if (distance_ <= farthest_suggestion) {
        first = {&entry, column};
      }
    }
  }
  void settle_hidden(const RangeTableEntry& entry) {
    first = {&entry, {}};
    second = {};
  }

 private:
  std::string_view wanted_;
  int distance_ = farthest_suggestion + 1;
};

}  // namespace

// What the name would mean in FROM here, or else an alias that is that name, whatever the schema.
const RangeTableEntry* QueryScope::find_entry_meant_by(std::string_view schema, std::string_view name) {
  const CommonTable* common = schema.empty() ? find_common_table(name) : nullptr;
  const RelationPtr relation = common == nullptr ? find_relation(schema, name) : nullptr;
  const auto is_common = [common](const QueryScope& scope, const RangeTableEntry& entry) {
    const auto* source = std::get_if<CommonTableSource>(&entry.source);
    if (common == nullptr || source == nullptr) return false;
    const QueryScope* owner = &scope;
    for (int levels = source->levels_up; levels > 0; --levels) owner = owner->parent_;
    return &owner->query.common_tables[static_cast<std::size_t>(source->table)] == common;
  };
  for (const QueryScope* scope = this; scope != nullptr; scope = scope->parent_) {
    for (const RangeTableEntry& entry : scope->query.entries) {
      const Relation* named = named_relation(entry);
      if (relation != nullptr && named != nullptr && named->id == relation->id) return &entry;
      if (is_common(*scope, entry) || (!entry.alias.empty() && entry.alias == name)) return &entry;
    }
  }
  return nullptr;
}

void QueryScope::throw_missing_table(std::string_view schema, std::string_view name, int position) {
  const RangeTableEntry* found = find_entry_meant_by(schema, name);
  if (found == nullptr) {
    throw SqlError(sqlstate::undefined_table, fmt::format("missing FROM-clause entry for table \"{}\"", name))
        .at(position);
  }
  std::string hint = fmt::format(
      "There is an entry for table \"{}\", but it cannot be referenced from this part of the query.", found->alias);
  if (found->alias_written && found->alias != name) {
    int levels_up = 0;
    const NamespaceItem* item = find_item({}, found->alias, position, &levels_up);
    if (item != nullptr && &around(levels_up).query.entries[static_cast<std::size_t>(item->entry)] == found) {
      hint = fmt::format("Perhaps you meant to reference the table alias \"{}\".", found->alias);
    }
  }
  throw SqlError(sqlstate::undefined_table,
                 fmt::format("invalid reference to FROM-clause entry for table \"{}\"", name), "", std::move(hint))
      .at(position);
}

void QueryScope::throw_missing_column(std::string_view table, std::string_view column, int position) {
  Suggestions suggestions(column);
  bool settled = false;
  for (const QueryScope* scope = this; scope != nullptr && !settled; scope = scope->parent_) {
    for (const RangeTableEntry& entry : scope->query.entries) {
      if (std::holds_alternative<JoinSource>(entry.source)) continue;
      const int penalty = table.empty() ? 0 : distance(table, entry.alias, farthest_suggestion + 1);
      bool exact = false;
      for (const OutputName& candidate : entry.columns) {
        if (candidate.name == column) exact = true;
        suggestions.consider(entry, candidate.name, penalty);
      }
      const bool excluded = scope->excluded_entry >= 0 &&
                            &entry == &scope->query.entries[static_cast<std::size_t>(scope->excluded_entry)];
      if (std::holds_alternative<TableSource>(entry.source) && !excluded && find_system_column(column) != nullptr) {
        exact = true;
      }
      if (exact && penalty == 0) {
        suggestions.settle_hidden(entry);
        settled = true;
        break;
      }
    }
  }
  ErrorFields error{sqlstate::undefined_column,
                    table.empty() ? fmt::format("column \"{}\" does not exist", column)
                                  : fmt::format("column {}.{} does not exist", table, column),
                    "",
                    "",
                    "",
                    position};
  const auto& [first, second] = std::tie(suggestions.first, suggestions.second);
  if (second.entry != nullptr) {
    error.hint = fmt::format("Perhaps you meant to reference the column \"{}.{}\" or the column \"{}.{}\".",
                             first.entry->alias, first.column, second.entry->alias, second.column);
  } else if (first.entry != nullptr && first.column.empty()) {
    error.hint = fmt::format(
        "There is a column named \"{}\" in table \"{}\", but it cannot be referenced from this part of the query.",
        column, first.entry->alias);
  } else if (first.entry != nullptr) {
    error.hint = fmt::format("Perhaps you meant to reference the column \"{}.{}\".", first.entry->alias, first.column);
  }
  throw SqlError(std::move(error));
}

}  // namespace polarsim::engine::query
