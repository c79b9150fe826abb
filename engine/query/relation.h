// What analysis and planning need to know of tables, views and sequences, and where they ask for it.
//
// A relation is a picture of what the catalog said when the statement asked; it never changes. On a coordinator the
// same interface answers for distributed tables, so that one analysis serves both.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/query/expression.h"
#include "engine/syntax/ast.h"
#include "engine/types/type.h"

namespace polarsim::engine::query {

struct RelationColumn {
  std::string name;
  Type type;
  bool not_null = false;
  // Of a new row that does not say: analysed by whoever inserts (query::analyse_default). Null: NULL.
  syntax::ExpressionPtr default_value;
  // GENERATED ALWAYS AS (...) STORED.
  syntax::ExpressionPtr generated;
  enum class Identity : std::uint8_t { none, always, by_default } identity = Identity::none;
  bool dropped = false;  // keeps its number; nobody can name it
};

// What planning and ON CONFLICT need to know of an index.
struct RelationIndex {
  std::uint32_t id = 0;
  std::string name;
  struct Key {
    int column = 0;  // from 1; 0: an expression
    syntax::ExpressionPtr expression;
    bool descending = false;
    bool nulls_first = false;
  };
  std::vector<Key> keys;
  bool unique = false;
  bool primary = false;
  bool nulls_not_distinct = false;
  bool constraint = false;  // made by PRIMARY KEY or UNIQUE; has the constraint's name
  syntax::ExpressionPtr predicate;
};

struct CheckConstraint {
  std::string name;
  syntax::ExpressionPtr condition;
};

// What ANALYZE found out, as pg_class and pg_statistic keep it.
struct ColumnStatistics {
  double null_fraction = 0;
  double distinct = 0;  // as pg_statistic.stadistinct: negative is a fraction of the rows; 0: not known
  int average_width = 0;
  std::vector<Value> most_common;
  std::vector<double> most_common_frequencies;
  std::vector<Value> histogram;  // bounds of groups of equal size, without the most common values
  double correlation = 0;
};

struct Relation {
  enum class Kind : char { table = 'r', view = 'v', sequence = 'S', system_view = 'V' };
  std::uint32_t id = 0;
  std::string schema;
  std::string name;
  Kind kind = Kind::table;
  std::vector<RelationColumn> columns;
  std::vector<RelationIndex> indexes;
  std::vector<CheckConstraint> checks;
  syntax::SelectPtr view;  // of a view: what it selects, to be analysed in the view's own search path
  bool is_system = false;  // a table of the catalog
  // PostgreSQL's relpages, reltuples (-1: never counted) and the statistics of columns, by position.
  double pages = 0;
  double rows = -1;
  std::vector<std::optional<ColumnStatistics>> statistics;

  // The position of a column from 1, 0 if there is none of the name. System columns (ctid, xmin, xmax, cmin, cmax,
  // tableoid) have negative numbers: system_columns.h.
  int find(std::string_view column) const {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i].dropped && columns[i].name == column) return static_cast<int>(i) + 1;
    }
    return 0;
  }
};
using RelationPtr = std::shared_ptr<const Relation>;

// The catalog, for one statement.
class RelationSource {
 public:
  // The relation of the name, locked in `lock` until the end of the transaction; may block. An empty schema is the
  // search path. Null if there is none.
  virtual RelationPtr open(std::string_view schema, std::string_view name, syntax::TableLockMode lock) = 0;
  virtual bool has_schema(std::string_view name) const = 0;

 protected:
  ~RelationSource() = default;
};

}  // namespace polarsim::engine::query
