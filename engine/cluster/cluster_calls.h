// The functions of the cluster that a client calls by SELECT: found in the syntax tree, their arguments matched and
// evaluated as PostgreSQL does (func_get_detail(), src/backend/parser/parse_func.c), then done by their handlers.
//
// What is recognised: SELECT f(...) [AS name], several of them in one list, and SELECT * FROM f(...) [AS alias]. A call
// anywhere else is not, and is an unknown function to the analysis of queries. Arguments may be given by position or
// by name (`a := 1`, `a => 1`), and may be anything that needs no row.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/cluster/cluster_commands.h"
#include "engine/query/analysis.h"
#include "engine/syntax/ast.h"

namespace polarsim::engine::cluster {

// A function as it is declared.
struct ClusterFunction {
  struct Parameter {
    const char* name;
    TypeId type;
    bool has_default = false;
    const char* default_text = nullptr;  // null: NULL
  };
  struct Column {
    const char* name;
    TypeId type;
  };
  const char* name;
  std::vector<Parameter> parameters;
  // One column without a name of its own: a value. Several: rows.
  std::vector<Column> columns;
  bool returns_rows = false;
  bool strict = false;  // NULL for a NULL argument
  bool only_on_primary = false;
  enum class Id : std::uint8_t;
  Id id;
};
std::span<const ClusterFunction> cluster_functions();

// One call, its arguments as they are written, in the order of the parameters; null: the default.
struct ClusterCall {
  const ClusterFunction* function = nullptr;
  std::vector<syntax::ExpressionPtr> arguments;
  std::vector<Type> types;  // of each argument; that of the parameter but for "any"
  std::string column;       // what the answer's column is called
};
struct ClusterQuery {
  std::vector<ClusterCall> calls;
  bool from = false;  // SELECT * FROM f(...)
  std::vector<std::string> column_aliases;
};

// Nothing if the statement is no such query. Throws 42883 and 42601 with PostgreSQL's texts for arguments that fit no
// function of the name.
std::optional<ClusterQuery> find_cluster_query(const syntax::Statement& statement,
                                               const query::AnalysisContext& context);
// The columns of its answer.
std::vector<ResultColumn> columns_of(const ClusterQuery& query);

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
QueryResult run_cluster_query(const ClusterQuery& query, const query::AnalysisContext& context,
                              const ClusterCallServices& services);

}  // namespace polarsim::engine::cluster
