// The functions of the cluster that a client calls by SELECT: found in the syntax tree, their arguments matched and
// evaluated as PostgreSQL does (func_get_detail(), src/backend/parser/parse_func.c), then done by their handlers.
//
// What is recognised: calls in the select list and in FROM of a SELECT without WITH, set operations and VALUES, alone
// or inside expressions. If the select list is nothing but calls, or the statement is SELECT * FROM f(...), the calls'
// answers are the statement's; else they are written into the statement as constants and VALUES, and that is run on
// this node (`rest`). A call anywhere else (in a subquery, in WHERE) is not recognised: an unknown function to the
// analysis of queries. Arguments may be given by position or by name (`a := 1`, `a => 1`) and see no row.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/cluster/cluster_commands.h"
#include "engine/query/analysis.h"
#include "engine/syntax/ast.h"

namespace polarsim::engine::cluster {

class ClusterFunctions;

// A function as it is declared.
struct ClusterFunction {
  struct Parameter {
    const char* name;
    TypeId type;  // any: of any type
    bool has_default = false;
    const char* default_text = nullptr;  // null: NULL
  };
  struct Column {
    const char* name;
    TypeId type;
  };
  using Rows = std::vector<Row>;
  // `arguments`: of the parameters' types, in their order; `types`: what they are where the parameter is of any type.
  using Handler = Rows (ClusterFunctions::*)(std::span<const Value> arguments, std::span<const Type> types);

  const char* name;
  std::vector<Parameter> parameters;
  std::vector<Column> columns;  // one without a name: a value
  Handler handler = nullptr;
  bool strict = false;   // NULL, or no rows, for a NULL argument
  bool primary = false;  // for the primary coordinator
  bool returns_rows() const { return columns.size() > 1; }
};
// All of them, by name.
std::span<const ClusterFunction> cluster_functions();

// One call. Arguments are as they are written, in the order of the parameters; null: the default.
struct ClusterCall {
  const ClusterFunction* function = nullptr;
  std::vector<syntax::ExpressionPtr> arguments;
  std::vector<Type> types;
  syntax::ExpressionPtr written;
};
struct ClusterQuery {
  std::vector<ClusterCall> calls;
  // What the answer's columns are called where the calls' answers are the statement's.
  std::vector<std::string> names;
  bool is_from = false;  // SELECT * FROM f(...)
  bool has_rest = false;
};

// Nothing if the statement calls none of the functions where it may. Throws 42883 and 42601 with PostgreSQL's texts
// for arguments that fit no function of the name. Fills in the types of parameters, if the context has a place for
// them.
std::optional<ClusterQuery> find_cluster_query(const syntax::Statement& statement,
                                               const query::AnalysisContext& context);
// The columns of the answer, if the query has no rest.
std::vector<ResultColumn> columns_of(const ClusterQuery& query);
// Else: the statement with NULLs in place of the calls' answers, for its description.
syntax::StatementPtr shape_of_rest(const syntax::Statement& statement);

// What the handlers need besides the cluster.
struct ClusterCallServices {
  ClusterCommands& cluster;
  // Values of $1..., of the types that analysis found.
  std::span<const Value> parameters;
  // One round of recovery: how many prepared transactions it has ended.
  std::function<std::int64_t()> recover_prepared_transactions;
  // Throws unless this is the primary coordinator.
  std::function<void()> require_primary;
};
// Does all calls in their order.
QueryResult run_cluster_query(const syntax::Statement& statement, const ClusterQuery& query,
                              const query::AnalysisContext& context, const ClusterCallServices& services);

}  // namespace polarsim::engine::cluster
