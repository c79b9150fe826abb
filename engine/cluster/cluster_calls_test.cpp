#include "engine/cluster/cluster_calls.h"

#include <gtest/gtest.h>

#include "engine/cluster/recording_cluster_test_support.h"
#include "engine/query/no_relations.h"

namespace polarsim::engine::cluster {
namespace {

// The rows of a query of cluster functions with its columns, its error, or "-" if it is none.
std::string answer(RecordingCluster& cluster, std::string_view text, const std::vector<Value>& parameters = {}) {
  const syntax::StatementPtr statement = cluster.parse(text).at(0);
  query::NoRelations relations;
  const CallContext call = cluster.call_context();
  std::vector<Type> types(parameters.size(), Type(TypeId::unknown));
  std::string result;
  const std::string error = refusal([&] {
    const query::AnalysisContext context{relations, call, &types};
    const auto query = find_cluster_query(*statement, context);
    if (!query) {
      result = "-";
      return;
    }
    const ClusterCallServices services{cluster, parameters, [] { return std::int64_t{3}; }, [] {}};
    const QueryResult made = run_cluster_query(*statement, *query, context, services);
    for (const ResultColumn& column : made.columns) {
      result += (result.empty() ? "" : ", ") + column.name + " " + type_name(column.type.id);
    }
    result += ": " + testing::rows_text(made);
  });
  return error.empty() ? result : "!" + error;
}

TEST(ClusterCalls, FindsCallsAndTheirArguments) {
  with_cluster(
      [](RecordingCluster& cluster) {
        EXPECT_EQ(answer(cluster, "SELECT 1"), "-");
        EXPECT_EQ(answer(cluster, "SELECT create_distributed_table('t', 'id')"), "create_distributed_table void: ");
        EXPECT_EQ(answer(cluster,
                         "SELECT create_distributed_table('u', distribution_column => 'i' || 'd', shard_count "
                         ":= 3) AS done"),
                  "done void: ");
        EXPECT_EQ(answer(cluster, "SELECT * FROM create_reference_table($1) x", {Value::integer(cluster.id("r"))}),
                  "x void: ");
        EXPECT_EQ(answer(cluster, "SELECT recover_prepared_transactions(), polar_cluster_is_coordinator()"),
                  "recover_prepared_transactions integer, polar_cluster_is_coordinator boolean: 3|t");
        EXPECT_EQ(cluster.session().run("SELECT logicalrelid::text, partmethod, partkey, colocationid, repmodel FROM "
                                        "pg_dist_partition ORDER BY pg_dist_partition.logicalrelid"),
                  "t|h|id|1|s;u|h|id|2|s;r|n|null|3|t");
      },
      "CREATE TABLE t (id int); CREATE TABLE u (id int); CREATE TABLE r (id int)");
}

TEST(ClusterCalls, ReportsArgumentsThatFitNoFunction) {
  with_cluster(
      [](RecordingCluster& cluster) {
        const std::string hint =
            " / No function matches the given name and argument types. You might need to add explicit type casts.";
        EXPECT_EQ(answer(cluster, "SELECT create_distributed_table('t')"),
                  "!42883 function create_distributed_table(unknown) does not exist" + hint);
        EXPECT_EQ(answer(cluster, "SELECT create_distributed_table('t', 5)"),
                  "!42883 function create_distributed_table(unknown, integer) does not exist" + hint);
        EXPECT_EQ(answer(cluster, "SELECT create_distributed_table('t', 'id', nope => true)"),
                  "!42883 function create_distributed_table(unknown, unknown, nope => boolean) does not exist" + hint);
        EXPECT_EQ(
            answer(cluster, "SELECT create_distributed_table('t', 'id', table_name => 'u')"),
            "!42883 function create_distributed_table(unknown, unknown, table_name => unknown) does not exist" + hint);
        EXPECT_EQ(answer(cluster, "SELECT create_reference_table(table_name => 't', table_name => 't')"),
                  "!42601 argument name \"table_name\" used more than once");
        EXPECT_EQ(answer(cluster, "SELECT create_distributed_table(table_name => 't', 'id')"),
                  "!42601 positional argument cannot follow named argument");
        EXPECT_EQ(answer(cluster, "SELECT create_reference_table('nosuch')"),
                  "!42P01 relation \"nosuch\" does not exist");
        EXPECT_EQ(answer(cluster, "SELECT undistribute_table(DISTINCT 't')"),
                  "!42809 DISTINCT specified, but undistribute_table is not an aggregate function");
      },
      "CREATE TABLE t (id int)");
}

TEST(ClusterCalls, WritesAnswersIntoOtherQueries) {
  with_cluster([](RecordingCluster& cluster) {
    EXPECT_EQ(answer(cluster, "SELECT run_command_on_workers('SELECT 1')"),
              "run_command_on_workers record: (dn1,5432,t,\"SELECT 1\");(dn2,5432,f,\"connection refused\")");
    EXPECT_EQ(answer(cluster, "SELECT * FROM run_command_on_all_nodes('x')"),
              "nodeid integer, success boolean, result text: 1|t|x;2|t|x;3|t|x;4|f|connection refused");
    EXPECT_EQ(
        answer(cluster, "SELECT count(*), max(n.result) AS r FROM run_command_on_workers('it''s') n WHERE success"),
        "count bigint, r text: 1|it's");
    EXPECT_EQ(answer(cluster, "SELECT recover_prepared_transactions() + 1, polar_cluster_version() IS NOT NULL AS v"),
              "?column? integer, v boolean: 4|t");
  });
}

TEST(ClusterCalls, FindsTheShardOfAValue) {
  with_cluster(
      [](RecordingCluster& cluster) {
        answer(cluster, "SELECT create_distributed_table('t', 'id'), create_reference_table('r')");
        // The hash of 1 is negative, that of 2 positive.
        EXPECT_EQ(answer(cluster,
                         "SELECT get_shard_id_for_distribution_column('t', 1), "
                         "get_shard_id_for_distribution_column('t', '2') AS two"),
                  "get_shard_id_for_distribution_column bigint, two bigint: 102008|102009");
        EXPECT_EQ(answer(cluster, "SELECT get_shard_id_for_distribution_column('t')"),
                  "!22004 distribution value cannot be NULL for tables other than reference tables.");
        EXPECT_EQ(answer(cluster, "SELECT get_shard_id_for_distribution_column('r')"),
                  "get_shard_id_for_distribution_column bigint: 102010");
        EXPECT_EQ(answer(cluster, "SELECT get_shard_id_for_distribution_column('l', 1)"),
                  "!42P16 relation is not distributed");
      },
      "CREATE TABLE t (id int); CREATE TABLE r (id int); CREATE TABLE l (id int)");
}

}  // namespace
}  // namespace polarsim::engine::cluster
