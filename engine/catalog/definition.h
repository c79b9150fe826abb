// What a relation is: everything that its transaction may change about it, in one piece (what PostgreSQL keeps in
// pg_class, pg_attribute, pg_attrdef, pg_constraint, pg_index, pg_sequence, pg_rewrite and pg_description).
//
// One definition is one row of the catalog's table, so that a change of it is one new row version, and whoever looked
// before keeps what he saw. Expressions are kept as SQL text, as pg_get_expr() shows them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/sequence_counting.h"
#include "engine/storage/types.h"
#include "engine/types/json.h"
#include "engine/types/type.h"
#include "engine/types/value.h"
#include "engine/types/value_type.h"

namespace polarsim::engine::catalog {

using storage::RelationId;

// As pg_class.relkind has it; a schema is no relation in PostgreSQL, but is made, named and dropped like one.
enum class RelationKind : char { table = 'r', index = 'i', sequence = 'S', view = 'v', schema = 'n' };
const char* to_string(RelationKind kind);  // "table", "index", ...

struct Column {
  std::string name;
  Type type;
  bool not_null = false;
  std::string default_text;    // empty: none
  std::string generated_text;  // GENERATED ALWAYS AS (...) STORED; empty: none
  enum class Identity : char { none = ' ', always = 'a', by_default = 'd' } identity = Identity::none;
  // The column keeps its number, its values stay in old rows, and nobody can name it.
  bool dropped = false;
  // What rows have that are shorter, because they were there before the column (pg_attribute.attmissingval), as text.
  std::optional<std::string> missing;
  std::string comment;
  friend bool operator==(const Column&, const Column&) = default;
};

struct Check {
  std::string name;
  std::string condition;
  bool validated = true;
  RelationId id = 0;  // pg_constraint.oid
  bool no_inherit = false;
  friend bool operator==(const Check&, const Check&) = default;
};

struct ForeignKey {
  // As pg_constraint.confdeltype has it.
  enum class Action : char { no_action = 'a', restrict = 'r', cascade = 'c', set_null = 'n', set_default = 'd' };
  std::string name;
  std::vector<int> columns;  // numbers from 1
  RelationId referenced = 0;
  std::vector<int> referenced_columns;
  Action on_delete = Action::no_action;
  Action on_update = Action::no_action;
  std::vector<int> on_delete_columns;  // what SET NULL and SET DEFAULT set; empty: all
  bool match_full = false;
  bool deferrable = false;
  bool initially_deferred = false;
  bool validated = true;
  RelationId id = 0;  // pg_constraint.oid
  // The table whose rows the key leads to, if not `referenced`, which then stands for it: one of the same columns on
  // this node, or rows_elsewhere, where nobody looks.
  static constexpr RelationId rows_elsewhere = 0xFFFFFFFF;
  RelationId rows_in = 0;
  RelationId checked_table() const { return rows_in == 0 ? referenced : rows_in; }
  friend bool operator==(const ForeignKey&, const ForeignKey&) = default;

  POLARSIM_DECLARE_VALUE_TYPE(ForeignKey);
};

struct IndexProperties {
  struct Key {
    int column = 0;          // from 1; 0: an expression
    std::string expression;  // over the table's columns
    Type type;
    // If they are not the type's own. All of them sort alike, as the one collation is C.
    std::string collation;
    std::string operator_class;
    // Told to people; the tree itself is always ascending with NULLs last, and read in either direction.
    bool descending = false;
    bool nulls_first = false;
    friend bool operator==(const Key&, const Key&) = default;
  };
  RelationId table = 0;
  std::vector<Key> keys;
  std::vector<int> included;  // INCLUDE: columns that are no part of the key
  bool unique = false;
  bool primary = false;
  bool constraint = false;  // made by PRIMARY KEY or UNIQUE; the constraint has its name
  bool nulls_not_distinct = false;
  std::string predicate;  // empty: none
  friend bool operator==(const IndexProperties&, const IndexProperties&) = default;
};

// What ANALYZE found out about a column (pg_statistic, whose numbers have single precision, too). Values are kept as
// text, as Column::missing is.
struct ColumnStatistics {
  int column = 0;  // from 1
  float null_fraction = 0;
  float distinct = 0;  // as pg_statistic.stadistinct
  int average_width = 0;
  std::vector<std::string> most_common;
  std::vector<float> most_common_frequencies;
  std::vector<std::string> histogram;
  float correlation = 0;
  friend bool operator==(const ColumnStatistics&, const ColumnStatistics&) = default;
};
// And about a table (pg_class.relpages, reltuples). Negative rows: they have not been counted since the table was
// emptied.
struct TableStatistics {
  double pages = 0;
  double rows = -1;
  std::vector<ColumnStatistics> columns;
  friend bool operator==(const TableStatistics&, const TableStatistics&) = default;
};

struct ViewProperties {
  std::string query;             // as pg_get_viewdef() shows it
  std::vector<RelationId> uses;  // what it would break without
  // Which columns of those, if their query names any: relation and column from 1, one pair after the other.
  std::vector<RelationId> columns = {};
  bool uses_column(RelationId relation, int column) const {
    for (std::size_t i = 0; i + 1 < columns.size(); i += 2) {
      if (columns[i] == relation && columns[i + 1] == static_cast<RelationId>(column)) return true;
    }
    return false;
  }
  friend bool operator==(const ViewProperties&, const ViewProperties&) = default;
};

struct SequenceProperties {
  TypeId type = TypeId::int8;
  SequenceParameters parameters;
  // The column it goes with (OWNED BY, serial, identity); 0: none.
  RelationId owner = 0;
  int owner_column = 0;
  friend bool operator==(const SequenceProperties&, const SequenceProperties&) = default;
};

struct Definition {
  RelationKind kind = RelationKind::table;
  std::string schema;  // of a schema: empty
  std::string name;
  std::vector<Column> columns;  // of tables and views
  std::vector<Check> checks;
  std::vector<ForeignKey> foreign_keys;
  std::optional<TableStatistics> statistics;  // of a table that was analysed
  IndexProperties index;
  ViewProperties view;
  SequenceProperties sequence;
  std::string comment;
  // Storage parameters, as pg_class.reloptions has them: "fillfactor=70".
  std::vector<std::string> options;

  // The number of a column from 1; 0 if there is none of the name.
  int find_column(std::string_view column) const;
  friend bool operator==(const Definition&, const Definition&) = default;

  POLARSIM_DECLARE_VALUE_TYPE(Definition);
};
using DefinitionPtr = std::shared_ptr<const Definition>;

// pg_constraint.oid of an index that is a constraint.
inline RelationId constraint_id(RelationId index) { return index | 0x40000000U; }

// The document in the catalog's row, without kind, schema and name, which have columns of their own. What has its usual
// value is left out. from_json() throws SqlError XX001 for a document that to_json() cannot have written.
Json to_json(const Definition& definition);
Definition from_json(RelationKind kind, std::string schema, std::string name, const Json& document);

}  // namespace polarsim::engine::catalog
