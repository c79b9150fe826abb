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
  // Which unique index is meant: the one with exactly these columns, or that of the constraint. Neither is given only
  // for DO NOTHING, which then means any.
  std::vector<std::string> target;
  std::string constraint;
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

struct UniqueConstraint {
  std::string name;  // empty: default_index_name(table, columns, "key")
  std::vector<std::string> columns;
};

struct CreateTable {
  TableName table;
  std::vector<ColumnDefinition> columns;
  std::vector<std::string> primary_key;  // empty: none
  std::string primary_key_name;          // empty: <table>_pkey
  std::vector<UniqueConstraint> unique;  // in the order written; column constraints as those of the table
  bool if_not_exists = false;
};

struct CreateIndex {
  std::string name;  // empty: default_index_name(table, columns, "idx"); it is in the table's schema
  TableName table;
  std::vector<std::string> columns;  // ascending, NULLs last
  bool unique = false;
  bool if_not_exists = false;
};

// What is not given follows from the rest: see sequence.h.
struct CreateSequence {
  TableName sequence;
  TypeId type = TypeId::int8;  // or int4
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> increment;
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  bool cycle = false;
  bool if_not_exists = false;
};

// DROP of each kind. CASCADE and RESTRICT are the same here: nothing depends on these but the indexes of a table.
struct DropTable {
  std::vector<TableName> tables;
  bool if_exists = false;
};
struct DropIndex {
  std::vector<TableName> indexes;
  bool if_exists = false;
};
struct DropSequence {
  std::vector<TableName> sequences;
  bool if_exists = false;
};

struct Truncate {
  std::vector<TableName> tables;
};

// PostgreSQL's table locks, weakest first.
enum class TableLockMode : std::uint8_t {
  access_share,
  row_share,
  row_exclusive,
  share_update_exclusive,
  share,
  share_row_exclusive,
  exclusive,
  access_exclusive,
};
struct LockTable {
  std::vector<TableName> tables;
  TableLockMode mode = TableLockMode::access_exclusive;
  bool nowait = false;
};

// VACUUM, or (vacuum false) ANALYZE, which has nothing to do here.
struct Vacuum {
  bool vacuum = true;
  bool analyze = false;
  bool freeze = false;
  std::vector<TableName> tables;  // empty: all
};
struct Checkpoint {};
struct Discard {
  enum class What : std::uint8_t { all, plans, sequences, temporary } what = What::all;
};

// How a transaction is to run, as far as it is said.
struct TransactionModes {
  std::string isolation;  // "" or the level in lower case, e.g. "read committed"
  std::optional<bool> read_only;
  friend bool operator==(const TransactionModes&, const TransactionModes&) = default;
};

struct TransactionControl {
  enum class Kind : std::uint8_t {
    begin,
    commit,
    rollback,
    prepare,
    commit_prepared,
    rollback_prepared,
    savepoint,
    rollback_to,
    release,
  } kind = Kind::begin;
  std::string gid;         // of the three about prepared transactions
  std::string savepoint;   // of the last three
  TransactionModes modes;  // of begin
};

// SET TRANSACTION; or, for the session, SET SESSION CHARACTERISTICS AS TRANSACTION.
struct SetTransaction {
  bool session = false;
  TransactionModes modes;
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

using StatementBody = std::variant<Select, Insert, Update, Delete, CreateTable, CreateIndex, CreateSequence, DropTable,
                                   DropIndex, DropSequence, Truncate, LockTable, Vacuum, Checkpoint, Discard,
                                   TransactionControl, SetTransaction, SetVariable, ShowVariable>;

struct Statement {
  StatementBody body;
  int parameters = 0;  // the highest $n used
};
using StatementPtr = std::shared_ptr<const Statement>;

}  // namespace polarsim::engine::sql
