// The statements this engine knows, as trees of our own.
//
// Expressions are immutable and shared: a planner that rewrites a statement for a shard copies only what it changes.
// A tree built by the parser is not yet checked against any table; see analyze.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/sql/value.h"

namespace polarsim::engine::sql {

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

struct Expression {
  enum class Kind : std::uint8_t {
    constant,     // value, type
    parameter,    // index: $index, from 1; type if a cast told it
    column,       // table (may be empty), name
    excluded,     // name: EXCLUDED.name in ON CONFLICT DO UPDATE
    operation,    // name is the operator (+ - * / % || = <> < <= > >=), one or two arguments
    logical_and,  // arguments, two or more; the parser never puts an AND directly below an AND, nor an OR below an OR
    logical_or,
    logical_not,
    is_null,    // argument 0; negated: IS NOT NULL
    in_list,    // argument 0 IN (arguments 1..); negated: NOT IN
    case_when,  // arguments: condition, result, condition, result, ..., [else]; simple CASE is rewritten to this form
    coalesce,
    cast,      // argument 0 to `type`
    function,  // name(arguments); star for count(*); distinct for count(DISTINCT x). greatest, least and nullif are
               // functions, too. A named argument (shard_count := 4) is an argument of kind function with the name
               // `named_argument` and two arguments: a text constant that holds the name, and the value
  };
  Kind kind = Kind::constant;
  Value value;
  TypeId type = TypeId::unknown;
  std::string table;
  std::string name;
  int index = 0;
  bool negated = false;
  bool star = false;
  bool distinct = false;
  std::vector<ExpressionPtr> arguments;
  int position = 0;  // 1-based character in the statement's text; 0: unknown
};

inline constexpr const char* named_argument = ":=";

struct TableName {
  std::string schema;  // empty: the search path (public)
  std::string name;
  std::string alias;  // empty: none
  int position = 0;
  // What columns are qualified by.
  const std::string& reference() const { return alias.empty() ? name : alias; }
};

struct SelectItem {
  ExpressionPtr expression;  // null: `*` or `star_table.*`
  std::string star_table;
  std::string alias;  // output name if given by AS
  int position = 0;   // 1-based character in the statement's text; 0: unknown
};

struct OrderItem {
  ExpressionPtr expression;
  bool descending = false;
  bool nulls_first = false;  // PostgreSQL's default: last when ascending, first when descending; resolved by the parser
};

enum class LockStrength : std::uint8_t { none, key_share, share, no_key_update, update };
enum class LockWait : std::uint8_t { block, nowait, skip_locked };

struct Select {
  std::vector<SelectItem> items;
  std::optional<TableName> from;  // one table; joins and subqueries are refused by the parser with 0A000
  ExpressionPtr where;            // null: none
  std::vector<ExpressionPtr> group_by;
  ExpressionPtr having;
  std::vector<OrderItem> order_by;
  ExpressionPtr limit;
  ExpressionPtr offset;
  bool distinct = false;
  LockStrength lock = LockStrength::none;
  LockWait lock_wait = LockWait::block;
};

struct Assignment {
  std::string column;
  ExpressionPtr value;  // null: DEFAULT
  int position = 0;
};

struct OnConflict {
  enum class Action : std::uint8_t { nothing, update } action = Action::nothing;
  std::vector<std::string> target;  // inferred columns; empty only for DO NOTHING
  std::vector<Assignment> assignments;
  ExpressionPtr where;
};

struct Insert {
  TableName table;
  std::vector<std::string> columns;              // empty: all in order
  std::vector<std::vector<ExpressionPtr>> rows;  // null entry: DEFAULT; no rows: DEFAULT VALUES
  std::optional<OnConflict> on_conflict;
  std::vector<SelectItem> returning;
};

struct Update {
  TableName table;
  std::vector<Assignment> assignments;
  ExpressionPtr where;
  std::vector<SelectItem> returning;
};

struct Delete {
  TableName table;
  ExpressionPtr where;
  std::vector<SelectItem> returning;
};

struct ColumnDefinition {
  std::string name;
  TypeId type = TypeId::unknown;
  bool not_null = false;
  ExpressionPtr default_value;
};

struct CreateTable {
  TableName table;
  std::vector<ColumnDefinition> columns;
  std::vector<std::string> primary_key;  // empty: none
  std::string primary_key_name;          // empty: <table>_pkey
  bool if_not_exists = false;
};

struct DropTable {
  std::vector<TableName> tables;
  bool if_exists = false;
};

struct TransactionControl {
  enum class Kind : std::uint8_t {
    begin,
    commit,
    rollback,
    prepare,
    commit_prepared,
    rollback_prepared
  } kind = Kind::begin;
  std::string gid;        // for the last three
  std::string isolation;  // begin: "" or the level as written in lower case, e.g. "read committed"
};

struct SetVariable {
  std::string name;
  std::string value;  // as text
  bool local = false;
  bool reset = false;  // SET name TO DEFAULT, RESET name
};
struct ShowVariable {
  std::string name;
};

using StatementBody =
    std::variant<Select, Insert, Update, Delete, CreateTable, DropTable, TransactionControl, SetVariable, ShowVariable>;

struct Statement {
  StatementBody body;
  int parameters = 0;  // the highest $n used
};
using StatementPtr = std::shared_ptr<const Statement>;

}  // namespace polarsim::engine::sql
