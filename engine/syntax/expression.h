// Expressions as they are written, with types, orders and windows inside them: the part of the trees (ast.h) that all
// statements share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/types/type.h"
#include "engine/types/value.h"
#include "engine/types/value_type.h"

namespace polarsim::engine::syntax {

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;
struct Select;
using SelectPtr = std::shared_ptr<const Select>;

// A type as it was written, with the grammar's translation: "int" is int4, "interval day" has modifiers.
struct TypeName {
  std::string schema;  // empty: the search path; what the grammar translates has pg_catalog
  std::string name;
  std::vector<std::int64_t> modifiers;  // varchar(5): 5
  int array_dimensions = 0;             // integer[][]: 2; bounds mean nothing
  int position = 0;
  friend bool operator==(const TypeName&, const TypeName&) = default;
};
using TypeNamePtr = std::shared_ptr<const TypeName>;

// ORDER BY of every kind: of a query, a window, an aggregate.
struct OrderItem {
  ExpressionPtr expression;
  bool descending = false;
  bool nulls_first = false;  // PostgreSQL's default: last when ascending, first when descending; resolved by the parser
  std::string using_operator;  // USING <; then `descending` is unknown until analysis
  std::string using_schema;    // of OPERATOR(schema.<)
  bool nulls_written = false;  // NULLS FIRST or LAST was written
  int using_position = 0;      // of the operator after USING
};

struct WindowSpecification {
  enum class Mode : std::uint8_t { range, rows, groups };
  enum class Bound : std::uint8_t { unbounded_preceding, preceding, current_row, following, unbounded_following };
  enum class Exclusion : std::uint8_t { nothing, current_row, group, ties };
  std::string name;       // WINDOW name AS (...); at a call: OVER name, nothing else is then set
  std::string reference;  // OVER (name ...): what it refines
  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderItem> order_by;
  bool frame_written = false;
  Mode mode = Mode::range;
  Bound start = Bound::unbounded_preceding;
  Bound end = Bound::current_row;
  ExpressionPtr start_offset;
  ExpressionPtr end_offset;
  Exclusion exclusion = Exclusion::nothing;
  int position = 0;
};

// What only some calls have.
struct CallDetails {
  std::vector<OrderItem> order_by;  // inside the brackets, or WITHIN GROUP
  bool within_group = false;
  ExpressionPtr filter;
  std::optional<WindowSpecification> over;
  bool variadic = false;  // the last argument is written VARIADIC
};

struct Expression {
  enum class Kind : std::uint8_t {
    constant,   // value, type: unknown (a string, NULL), int4, int8, numeric, boolean. PostgreSQL's grammar makes
                // casts of TRUE and FALSE, so that an output column made of them has the name "bool"
    parameter,  // index: $index, from 1
    column,     // path: what was written before the name; name. EXCLUDED.x is a column, too
    star,       // path.*: in select lists, row constructors, and (without a path) nowhere else
    operation,  // name is the operator, one or two arguments; `schema` if OPERATOR(schema.+) was written
    array_comparison,  // argument 0 operator (name, schema) ANY (argument 1); `all`: ALL
    logical_and,       // arguments, two or more; never an AND directly below an AND, nor an OR below an OR
    logical_or,
    logical_not,
    is_null,        // argument 0; negated: IS NOT NULL
    boolean_test,   // argument 0 IS [NOT] TRUE, FALSE, UNKNOWN: name is "true", "false", "unknown"
    distinct_test,  // argument 0 IS [NOT] DISTINCT FROM argument 1; negated: NOT DISTINCT
    in_list,        // argument 0 IN (arguments 1..); negated: NOT IN
    between,        // argument 0 BETWEEN argument 1 AND argument 2; negated; `symmetric`
    like,           // argument 0 LIKE argument 1 [ESCAPE is already a call of like_escape]; name is "~~", "~~*", "~"
                    // (SIMILAR TO, whose pattern is a call of similar_to_escape) or their negations
    null_if,        // arguments 0, 1
    case_when,      // arguments: condition, result, ..., [else]; with `operand` it is a simple CASE, and every
                    // comparison stands at its entry of when_positions
    coalesce,
    greatest,
    least,
    cast,            // argument 0 to `type_name`; in every notation
    collate,         // argument 0; path and name of the collation
    function,        // schema.name(arguments); star for count(*); distinct; call. A named argument is `named_argument`
    named_argument,  // name => argument 0
    value_function,  // name: current_date, current_time, current_timestamp, localtime, localtimestamp, current_user,
                     // session_user, user, current_role, current_catalog, current_schema; index: precision, -1 none
    row,             // (arguments): ROW(...); `explicit_row`: the word ROW was written
    array,           // ARRAY[arguments]; `multidimensional`: directly inside another ARRAY, with the word or without
    subscript,       // argument 0 [lower:upper]...: subscripts
    field,           // (argument 0).name; name empty: (argument 0).*
    exists,          // query
    scalar_subquery,
    array_subquery,       // ARRAY(query)
    subquery_comparison,  // argument 0 operator name ANY (query); all; IN is `=` ANY with `in_written`
    grouping,             // GROUPING(arguments)
    default_value,        // DEFAULT, in VALUES and in SET
    group_set,            // GROUP BY only: name is "rollup", "cube", "sets" or "empty"; arguments
    current_of,           // WHERE CURRENT OF name (index, if that is not 0: a parameter): refused by analysis
  };
  struct Subscript {
    ExpressionPtr lower;
    ExpressionPtr upper;
    bool slice = false;
  };

  Kind kind = Kind::constant;
  Value value;
  TypeId type = TypeId::unknown;
  std::vector<std::string> path;
  std::string name;
  std::string schema;
  int index = 0;
  bool negated = false;
  bool star = false;
  bool distinct = false;
  bool all = false;
  bool symmetric = false;
  bool explicit_row = false;
  bool multidimensional = false;
  bool in_written = false;
  bool special_syntax = false;  // a call in a syntax of its own: EXTRACT(a FROM b), a AT TIME ZONE b
  std::vector<ExpressionPtr> arguments;
  ExpressionPtr operand;  // of a simple CASE
  std::vector<int> when_positions;
  std::vector<Subscript> subscripts;
  TypeNamePtr type_name;
  std::shared_ptr<const CallDetails> call;
  SelectPtr query;
  int position = 0;  // 1-based character in the statement's text; 0: unknown

  POLARSIM_DECLARE_VALUE_TYPE(Expression);
};

}  // namespace polarsim::engine::syntax
