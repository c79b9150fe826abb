// The statements this engine knows, as trees of our own: what was written, unchecked. PostgreSQL's raw parse trees
// (src/include/nodes/parsenodes.h) without what nobody here uses.
//
// Trees are immutable and shared: whoever rewrites a statement copies only what it changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/syntax/expression.h"
#include "engine/types/value_type.h"

namespace polarsim::engine::syntax {

struct TableName {
  std::string schema;  // empty: the search path
  std::string name;
  std::string alias;  // empty: none
  std::vector<std::string> column_aliases;
  bool only = false;  // ONLY: there is no inheritance, so it means nothing
  int position = 0;
  // What columns are qualified by.
  const std::string& reference() const { return alias.empty() ? name : alias; }

  POLARSIM_DECLARE_VALUE_TYPE(TableName);
};

struct SelectItem {
  ExpressionPtr expression;  // `*` and t.* are of kind star
  std::string alias;         // output name if given by AS
  int position = 0;
};

enum class LockStrength : std::uint8_t { none, key_share, share, no_key_update, update };
enum class LockWait : std::uint8_t { block, nowait, skip_locked };

struct LockingClause {
  LockStrength strength = LockStrength::none;
  LockWait wait = LockWait::block;
  std::vector<TableName> of;  // empty: all
};

// --- FROM ---

struct FromItem;
using FromItemPtr = std::shared_ptr<const FromItem>;

struct ColumnDefinitionItem {  // AS t(a int, b text), for functions that return records
  std::string name;
  TypeNamePtr type;
  int position = 0;
};
struct FromSubquery {
  SelectPtr query;
  bool lateral = false;
};
struct FromFunction {
  struct Item {
    ExpressionPtr call;
    std::vector<ColumnDefinitionItem> columns;
  };
  std::vector<Item> functions;  // several only with ROWS FROM
  bool rows_from = false;       // ROWS FROM was written
  bool with_ordinality = false;
  bool lateral = false;
  std::vector<ColumnDefinitionItem> columns;
};
enum class JoinKind : std::uint8_t { inner, left, right, full, cross };
struct FromJoin {
  JoinKind kind = JoinKind::inner;
  FromItemPtr left;
  FromItemPtr right;
  bool natural = false;
  std::vector<std::string> using_columns;
  std::string using_alias;
  ExpressionPtr condition;
};
struct FromItem {
  std::variant<TableName, FromSubquery, FromFunction, FromJoin> source;
  std::string alias;  // of all but tables, which have their own
  std::vector<std::string> column_aliases;
  int position = 0;

  POLARSIM_DECLARE_VALUE_TYPE(FromItem);
};

// --- queries ---

struct Insert;
struct Update;
struct Delete;
// What a CTE computes: one of these.
struct CommonTableBody {
  SelectPtr select;
  std::shared_ptr<const Insert> insert;
  std::shared_ptr<const Update> update;
  std::shared_ptr<const Delete> removal;
};
struct CommonTable {
  std::string name;
  std::vector<std::string> columns;
  std::optional<bool> materialized;  // MATERIALIZED, NOT MATERIALIZED
  CommonTableBody body;
  int position = 0;
};
struct With {
  bool recursive = false;
  std::vector<CommonTable> tables;
};
using WithPtr = std::shared_ptr<const With>;

enum class SetOperator : std::uint8_t { none, union_of, intersect, except };

// SELECT, VALUES, or UNION and the like of two others; WITH, ORDER BY, LIMIT and locking belong to each.
struct Select {
  WithPtr with;
  // A set operation of these two; then nothing else up to ORDER BY is there.
  SetOperator set_operator = SetOperator::none;
  bool set_all = false;
  SelectPtr left;
  SelectPtr right;
  // VALUES, if there are any.
  std::vector<std::vector<ExpressionPtr>> values;

  std::vector<SelectItem> items;
  bool distinct = false;
  std::vector<ExpressionPtr> distinct_on;
  std::vector<FromItemPtr> from;
  ExpressionPtr where;
  std::vector<ExpressionPtr> group_by;  // with group_set among them
  bool group_distinct = false;
  ExpressionPtr having;
  std::vector<WindowSpecification> windows;

  std::vector<OrderItem> order_by;
  ExpressionPtr limit;
  ExpressionPtr offset;
  bool with_ties = false;
  std::vector<LockingClause> locking;
  int position = 0;

  POLARSIM_DECLARE_VALUE_TYPE(Select);
};

struct Assignment {
  std::string column;
  std::vector<Expression::Subscript> subscripts;  // SET a[1] = ...
  ExpressionPtr value;                            // of kind default_value: DEFAULT
  // SET (a, b) = (row or subquery): all assignments of one source share `value`; `source_index` counts from 0, -1
  // where there is one column to one value.
  int source_index = -1;
  int source_count = 0;
  int position = 0;
};

struct IndexElement {
  std::string column;  // or
  ExpressionPtr expression;
  std::string operator_class;
  std::string collation;
  bool descending = false;
  bool nulls_first = false;
  bool order_written = false;
};

struct OnConflict {
  enum class Action : std::uint8_t { nothing, update } action = Action::nothing;
  // Which unique index is meant: by inference from these elements and the predicate, or that of the constraint. Neither
  // is given only for DO NOTHING, which then means any.
  std::vector<IndexElement> target;
  int target_position = 0;  // of the list of elements, or of ON CONSTRAINT
  ExpressionPtr target_where;
  std::string constraint;
  std::vector<Assignment> assignments;
  ExpressionPtr where;
  int position = 0;

  POLARSIM_DECLARE_VALUE_TYPE(OnConflict);
};

enum class Overriding : std::uint8_t { none, user_value, system_value };

struct Insert {
  WithPtr with;
  TableName table;
  struct Column {
    std::string name;
    std::vector<Expression::Subscript> subscripts;
    int position = 0;
  };
  std::vector<Column> columns;  // empty: all in order
  SelectPtr source;             // VALUES among them; null: DEFAULT VALUES
  Overriding overriding = Overriding::none;
  std::optional<OnConflict> on_conflict;
  std::vector<SelectItem> returning;

  POLARSIM_DECLARE_VALUE_TYPE(Insert);
};

struct Update {
  WithPtr with;
  TableName table;
  std::vector<Assignment> assignments;
  std::vector<FromItemPtr> from;
  ExpressionPtr where;
  std::vector<SelectItem> returning;

  POLARSIM_DECLARE_VALUE_TYPE(Update);
};

struct Delete {
  WithPtr with;
  TableName table;
  std::vector<FromItemPtr> using_items;
  ExpressionPtr where;
  std::vector<SelectItem> returning;

  POLARSIM_DECLARE_VALUE_TYPE(Delete);
};

// --- definitions ---

// WITH (name = value), the options of COPY, EXPLAIN and the like.
struct Parameter {
  std::string name;  // with its namespace, as in toast.autovacuum_enabled, if one is written
  // Null: none was given. A constant (a word is a string, so are TRUE and FALSE), `star`, or a `row` of string
  // constants: FORCE_QUOTE (a, b).
  ExpressionPtr value;
  int position = 0;
};

// What is not given follows from the rest: see sequence.h.
struct SequenceOptions {
  std::optional<TypeName> type;
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> increment;
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  bool no_minimum = false;
  bool no_maximum = false;
  std::optional<std::int64_t> cache;
  std::optional<bool> cycle;
  std::optional<std::int64_t> restart;
  bool restart_at_start = false;      // RESTART without a number
  std::vector<std::string> owned_by;  // a path to a column; {"none"} for NONE
  std::vector<std::string> name;      // of an identity column's sequence (SEQUENCE NAME)
};
// Of a column or of a table.
struct Constraint {
  enum class Kind : std::uint8_t {
    not_null,
    null,
    default_value,
    check,
    primary_key,
    unique,
    foreign_key,
    identity,
    generated
  };
  enum class Action : std::uint8_t { no_action, restrict, cascade, set_null, set_default };
  Kind kind = Kind::check;
  std::string name;                  // empty: made up
  std::vector<std::string> columns;  // of a table's; of a column's: empty
  ExpressionPtr expression;          // default, check, generated
  // FOREIGN KEY.
  TableName referenced;
  std::vector<std::string> referenced_columns;  // empty: its primary key
  Action on_delete = Action::no_action;
  Action on_update = Action::no_action;
  bool match_full = false;
  bool not_valid = false;
  std::vector<std::string> on_delete_columns;  // ON DELETE SET NULL (...)
  bool identity_always = false;
  SequenceOptions sequence;  // of an identity column
  bool no_inherit = false;
  bool nulls_not_distinct = false;
  std::vector<std::string> including;
  std::vector<Parameter> parameters;  // of the index
  bool deferrable = false;
  bool initially_deferred = false;
  std::string using_index;  // ADD PRIMARY KEY USING INDEX
  int position = 0;

  POLARSIM_DECLARE_VALUE_TYPE(Constraint);
};

struct ColumnDefinition {
  std::string name;
  TypeName type;  // serial and bigserial are names here
  std::string collation;
  int collation_position = 0;
  std::vector<Constraint> constraints;
  int position = 0;

  POLARSIM_DECLARE_VALUE_TYPE(ColumnDefinition);
};

// What becomes of a temporary table at the end of a transaction.
enum class OnCommit : std::uint8_t { preserve_rows, delete_rows, drop };

struct CreateTable {
  // LIKE other [INCLUDING ...]: its columns come after `columns_before` of the table's own.
  struct Like {
    TableName table;
    // "comments", "compression", "constraints", "defaults", "generated", "identity", "indexes", "statistics",
    // "storage", or "all" alone.
    std::vector<std::string> including;
    std::size_t columns_before = 0;
  };
  TableName table;
  std::vector<ColumnDefinition> columns;
  std::vector<Constraint> constraints;
  bool if_not_exists = false;
  bool temporary = false;
  bool unlogged = false;
  std::vector<Parameter> parameters;
  std::vector<Like> like;
  OnCommit on_commit = OnCommit::preserve_rows;
  std::string access_method;  // USING; empty: the default

  POLARSIM_DECLARE_VALUE_TYPE(CreateTable);
};

// CREATE TABLE ... AS, SELECT INTO.
struct CreateTableAs {
  TableName table;
  std::vector<std::string> columns;
  SelectPtr query;
  bool with_data = true;
  bool if_not_exists = false;
  bool temporary = false;
  bool unlogged = false;
  bool materialized_view = false;
  OnCommit on_commit = OnCommit::preserve_rows;
  std::string access_method;
  std::vector<Parameter> parameters;
};

struct CreateIndex {
  std::string name;  // empty: made up from table and columns; it is in the table's schema
  TableName table;
  std::string method;  // "btree" unless written otherwise
  std::vector<IndexElement> elements;
  std::vector<std::string> including;
  ExpressionPtr where;
  bool unique = false;
  bool nulls_not_distinct = false;
  bool concurrently = false;
  bool if_not_exists = false;
  std::vector<Parameter> parameters;
  std::string tablespace;  // empty: none was written
};

struct CreateSequence {
  TableName sequence;
  SequenceOptions options;
  bool if_not_exists = false;
  bool temporary = false;
};
struct AlterSequence {
  TableName sequence;
  SequenceOptions options;
  bool if_exists = false;
};

struct CreateView {
  TableName view;
  std::vector<std::string> columns;
  SelectPtr query;
  std::string text;  // of the query, as deparse() writes it
  bool or_replace = false;
  bool temporary = false;
  bool check_option = false;
  bool check_option_local = false;  // WITH LOCAL CHECK OPTION, not CASCADED
  std::vector<Parameter> parameters;
};

struct CreateSchema {
  std::string name;
  bool if_not_exists = false;
  std::string owner;  // AUTHORIZATION
};

enum class ObjectKind : std::uint8_t {
  table,
  index,
  sequence,
  view,
  materialized_view,
  schema,
  function,
  type,
  database,
  role,
  extension
};
// DROP, by kind.
struct Drop {
  ObjectKind kind = ObjectKind::table;
  std::vector<TableName> objects;  // a schema's name is in `name`
  bool if_exists = false;
  bool cascade = false;
  bool concurrently = false;
};

struct AlterTable {
  struct Action {
    enum class Kind : std::uint8_t {
      add_column,           // definition; if_not_exists
      drop_column,          // column; if_exists, cascade
      set_default,          // column, expression
      drop_default,         // column
      set_not_null,         // column
      drop_not_null,        // column
      set_type,             // column, type, collation, expression (USING)
      add_constraint,       // constraint
      drop_constraint,      // column is its name; if_exists, cascade
      validate_constraint,  // column is its name
      set_parameters,       // parameters
      reset_parameters,     // parameters, without values
      owner,                // column is the role: its name, or "current_user", "session_user", "current_role"
      add_identity,         // column, constraint
      drop_identity,        // column; if_exists
      drop_expression,      // column; if_exists
    } kind = Kind::add_column;
    std::string column;
    std::optional<ColumnDefinition> definition;
    std::optional<TypeName> type;
    std::string collation;  // of set_type
    ExpressionPtr expression;
    std::optional<Constraint> constraint;
    std::vector<Parameter> parameters;
    bool if_exists = false;
    bool if_not_exists = false;
    bool cascade = false;
  };
  ObjectKind kind = ObjectKind::table;  // ALTER INDEX and the like share it
  TableName table;
  std::vector<Action> actions;
  bool if_exists = false;

  POLARSIM_DECLARE_VALUE_TYPE(AlterTable);
};
// ALTER ... RENAME [COLUMN | CONSTRAINT old] TO new.
struct Rename {
  enum class What : std::uint8_t { object, column, constraint } what = What::object;
  ObjectKind kind = ObjectKind::table;
  TableName object;
  std::string old_name;
  std::string new_name;
  bool if_exists = false;
};
struct AlterSchema {  // ALTER ... SET SCHEMA
  ObjectKind kind = ObjectKind::table;
  TableName object;
  std::string schema;
  bool if_exists = false;
};

struct RefreshMaterializedView {
  TableName view;
  bool concurrently = false;
  bool with_data = true;
};

struct Truncate {
  std::vector<TableName> tables;
  bool restart_identity = false;
  bool cascade = false;
};

struct Comment {  // COMMENT ON: accepted for what exists
  ObjectKind kind = ObjectKind::table;
  TableName object;
  std::string column;
  std::optional<std::string> text;
};

// --- utilities ---

struct Copy {
  TableName table;
  std::vector<std::string> columns;
  CommonTableBody query;  // COPY (query) TO
  bool from = false;
  bool program = false;            // PROGRAM: refused
  std::string file;                // empty: STDIN or STDOUT
  std::vector<Parameter> options;  // in today's form and the old one alike
  ExpressionPtr where;
};

struct Statement;
using StatementPtr = std::shared_ptr<const Statement>;

struct Explain {
  std::vector<Parameter> options;  // analyze, verbose, costs, ...
  StatementPtr statement;
};
struct Prepare {
  std::string name;
  std::vector<TypeName> types;
  StatementPtr statement;
};
struct Execute {
  std::string name;
  std::vector<ExpressionPtr> parameters;
};
struct Deallocate {
  std::string name;  // empty: ALL
};
// CALL, DO, LISTEN, GRANT, CREATE FUNCTION, ...: what is not known is refused by the parser with 0A000.

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

// VACUUM, or (vacuum false) ANALYZE.
struct Vacuum {
  bool vacuum = true;
  bool analyze = false;
  bool freeze = false;
  bool full = false;
  bool verbose = false;
  bool skip_locked = false;
  std::vector<TableName> tables;  // empty: all; their column_aliases are the columns to analyze
};
struct Checkpoint {};
struct Discard {
  enum class What : std::uint8_t { all, plans, sequences, temporary } what = What::all;
};

// How a transaction is to run, as far as it is said.
struct TransactionModes {
  std::string isolation;  // "" or the level in lower case, e.g. "read committed"
  std::optional<bool> read_only;
  std::optional<bool> deferrable;
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
  bool start = false;      // begin: it was START TRANSACTION, as its tag says
};

// SET TRANSACTION; or, for the session, SET SESSION CHARACTERISTICS AS TRANSACTION.
struct SetTransaction {
  bool session = false;
  TransactionModes modes;
};

struct SetVariable {
  std::string name;
  // As text, several values flattened to "a, b" as PostgreSQL does it: in double quotes, where needed, for settings
  // that are lists of identifiers (search_path).
  std::string value;
  std::vector<std::string> values;  // as they were written
  bool local = false;
  bool reset = false;  // SET name TO DEFAULT, RESET name
};
struct ShowVariable {
  std::string name;
};

using StatementBody =
    std::variant<Select, Insert, Update, Delete, CreateTable, CreateTableAs, CreateIndex, CreateSequence, AlterSequence,
                 CreateView, CreateSchema, Drop, AlterTable, Rename, AlterSchema, RefreshMaterializedView, Truncate,
                 Comment, Copy, Explain, Prepare, Execute, Deallocate, LockTable, Vacuum, Checkpoint, Discard,
                 TransactionControl, SetTransaction, SetVariable, ShowVariable>;

struct Statement {
  StatementBody body;
  int parameters = 0;  // the highest $n used

  POLARSIM_DECLARE_VALUE_TYPE(Statement);
};

}  // namespace polarsim::engine::syntax
