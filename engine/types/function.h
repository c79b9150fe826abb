// The functions of SQL values: what a name and argument types mean, and how to compute it (PostgreSQL's
// src/include/catalog/pg_proc.dat). Operators (operator.h) and casts (cast.h) are names for some of them.
//
// Each family of functions lies in a functions_<family>.cpp and offers its entries in a table; catalog order is the
// order of families and, within one, of their entries, so that a function's number is stable within a build. Which
// function a call means is decided by the analysis (PostgreSQL's func_get_detail), not here.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types/type.h"
#include "engine/types/value.h"

namespace polarsim::engine {

class RandomSequence;  // random.h
class SessionServices;

// What the value of a function may depend on besides its arguments: settings of the session, and the time.
struct CallContext {
  std::int64_t transaction_start_us = 0;  // since the Unix epoch
  std::int64_t statement_start_us = 0;
  std::int32_t time_zone_offset_s = 0;  // east of Greenwich; named zones: time_zone.h
  std::string_view time_zone = "UTC";
  // Null where there is no session: its functions are then refused with 0A000. If there is one, a call may block.
  SessionServices* session = nullptr;
};

struct FunctionEntry;

// A column of the rows that a function returning record shall make: FROM json_to_record(...) AS t(a int, b text).
struct RequestedColumn {
  std::string_view name;
  Type type;
};

// One call under way. A strict function never sees a NULL.
struct FunctionCall {
  std::span<const Value> arguments;
  std::span<const Type> types;  // of the arguments, as they are after conversion; empty for functions that never ask
  Type result;
  const CallContext& context;
  // What is called; null for operators and casts, whose functions never ask. Functions of the session ask.
  const FunctionEntry* function = nullptr;
  // Of a function with VARIADIC "any": the last argument was written VARIADIC and is an array that stands for its
  // elements.
  bool variadic_array = false;
  // Of a column definition list, or of the columns of the row type that is called for; empty if there is none.
  std::span<const RequestedColumn> columns = {};

  const Value& operator[](std::size_t i) const { return arguments[i]; }
  std::size_t size() const { return arguments.size(); }
};

using ScalarFunction = Value (*)(const FunctionCall& call);

// The rows of a set-returning function, one by one.
class FunctionRows {
 public:
  virtual ~FunctionRows() = default;
  // False at the end. `row` has one value, or one per output column of a function with several.
  virtual bool next(Row& row) = 0;
};
using SetFunction = std::unique_ptr<FunctionRows> (*)(const FunctionCall& call);

// How one of the columns of WITHIN GROUP (ORDER BY ...) is sorted.
struct AggregateOrder {
  bool descending = false;
  bool nulls_first = false;
};

// What one group has accumulated. A strict aggregate's add() is not called for rows with a NULL among the arguments.
//
// Ordered-set and hypothetical-set aggregates (FunctionEntry::aggregate_kind): add() sees the aggregated arguments,
// those of WITHIN GROUP (ORDER BY ...), and not the direct ones; rows come sorted by them, rows with NULLs included.
// Before result() is asked, begin_ordered_set() tells the direct arguments, computed once for the group, and how the
// rows are sorted. They may be told before or after the rows, but only once.
class AggregateState {
 public:
  virtual ~AggregateState() = default;
  virtual void add(const FunctionCall& call) = 0;
  // Of what came so far; may be asked more than once (window functions ask after every row).
  virtual Value result(const CallContext& context) const = 0;
  virtual void begin_ordered_set(std::span<const Value> direct, std::span<const AggregateOrder> order) {
    static_cast<void>(direct);
    static_cast<void>(order);
  }
};
// `types`: of all arguments as they are after conversion, in the order of the entry's: direct ones first.
using AggregateFunction = std::unique_ptr<AggregateState> (*)(std::span<const Type> types, Type result);

enum class Volatility : char { immutable = 'i', stable = 's', volatile_function = 'v' };
enum class FunctionKind : char { scalar = 'f', aggregate = 'a', window = 'w', set = 'r' };
// pg_aggregate.aggkind. The latter two need WITHIN GROUP, and refuse DISTINCT and OVER. Hypothetical ones have as many
// direct arguments as aggregated ones; each pair is converted to a common type (PostgreSQL's
// unify_hypothetical_args()).
enum class AggregateKind : char { normal = 'n', ordered_set = 'o', hypothetical = 'h' };

struct OutputParameter {
  const char* name;
  TypeId type;
};

struct FunctionEntry {
  const char* name = "";  // in pg_catalog, or with the schema: "information_schema._pg_expandarray"
  std::vector<TypeId> arguments = {};
  TypeId result = TypeId::none;
  FunctionKind kind = FunctionKind::scalar;
  Volatility volatility = Volatility::immutable;
  bool strict = true;
  // The last argument stands for any number, one or more, of its kind: VARIADIC "any" if it is `any`, else the array's
  // element type, and the function sees one array.
  bool variadic = false;
  // The last so many arguments may be left out; then these expressions, in SQL, take their place.
  std::vector<const char*> defaults = {};
  std::vector<const char*> argument_names = {};  // empty if calls cannot name them
  std::vector<OutputParameter> outputs = {};     // of a function that returns rows; empty: one column with its name
  // One of them, by kind. Window functions have none: the executor knows them by name.
  ScalarFunction scalar = nullptr;
  SetFunction set = nullptr;
  AggregateFunction aggregate = nullptr;
  AggregateKind aggregate_kind = AggregateKind::normal;
  // How many of `arguments`, from the first, are direct ones of an ordered-set aggregate: the rest are in WITHIN GROUP.
  // One for hypothetical aggregates, whose VARIADIC "any" stands for both.
  std::size_t direct_arguments = 0;
};

// Every function. Positions are stable within a build.
std::span<const FunctionEntry> all_functions();
// Those of the name, in lower case; empty if there are none.
std::span<const FunctionEntry* const> functions_named(std::string_view name);
// Exactly these argument types; null if there is none. For operators and casts.
const FunctionEntry* find_function(std::string_view name, std::span<const TypeId> arguments);

// What functions ask of the session that runs the statement. All may block, and throw SqlError.
class SessionServices {
 public:
  // nextval(), pg_advisory_lock() and the like: the entry and its arguments. Void results are the empty text.
  virtual Value call(const FunctionEntry& function, const FunctionCall& call) = 0;
  // Of those that return sets.
  virtual std::unique_ptr<FunctionRows> rows(const FunctionEntry& function, const FunctionCall& call);
  // Of random() and setseed(). Seeded by the session when first asked for.
  virtual RandomSequence& random_sequence() = 0;
  // 64 random bits that do not depend on setseed(): gen_random_uuid().
  virtual std::uint64_t random_bits() = 0;
  // The texts of regclass, regproc and regnamespace; regtype needs no session. `name` is as it was written. Unknown
  // numbers show as digits; unknown names throw 42P01, 42883, 3F000.
  virtual std::string object_name(TypeId type, std::uint32_t oid) = 0;
  virtual std::uint32_t object_number(TypeId type, std::string_view name) = 0;

 protected:
  ~SessionServices() = default;
};

}  // namespace polarsim::engine
