// SET, SHOW, RESET: settings that mean the same to both systems.
#include <fmt/format.h>

#include "scenarios/cli/sql/statement_generator.h"

namespace polarsim::scenarios::cli::test {
namespace {

struct Setting {
  const char* name;
  std::vector<const char*> values;
};

const std::vector<Setting> settings{
    {"work_mem", {"'8MB'", "4096", "'1GB'", "'much'", "-1"}},
    {"enable_hashjoin", {"off", "on", "'1'", "maybe", "DEFAULT"}},
    {"enable_seqscan", {"off", "on", "true"}},
    {"enable_nestloop", {"off", "on", "false"}},
    {"enable_mergejoin", {"off", "on", "'yes'"}},
    {"enable_hashagg", {"off", "on", "0"}},
    {"enable_sort", {"off", "on", "no"}},
    {"timezone", {"'UTC'", "'Europe/Rome'", "'America/New_York'", "'Nowhere/Else'", "DEFAULT"}},
    {"application_name", {"'mine'", "''", "polar", "5"}},
    {"lock_timeout", {"'2s'", "0", "'1min'", "'1 fortnight'"}},
    {"idle_in_transaction_session_timeout", {"0", "'1h'"}},
    {"default_transaction_deferrable", {"off", "on"}},
    {"transform_null_equals", {"off"}},
    {"nothing.here", {"1", "'x'", "DEFAULT"}},
    {"nothing", {"1"}}};

}  // namespace

GeneratedStatement StatementGenerator::setting_statement() {
  if (clustered_ && choices_.one_in(3)) {
    GeneratedStatement made;
    made.text = fmt::format("SET polar_cluster.enable_repartition_joins TO {}", choices_.one_in(2) ? "off" : "on");
    made.cluster_only = true;
    return made;
  }
  const Setting& setting = choices_.one_of(settings);
  static const std::vector<const char*> forms{"SET {0} TO {1}",
                                              "SHOW {0}",
                                              "SET {0} = {1}",
                                              "SET LOCAL {0} = {1}",
                                              "SET SESSION {0} = {1}",
                                              "RESET {0}",
                                              "SELECT current_setting('{0}')",
                                              "SELECT current_setting('{0}', true)",
                                              "SELECT name, setting, unit FROM pg_settings WHERE name = '{0}'",
                                              "SET TIME ZONE 'Asia/Tokyo'"};
  return {fmt::format(fmt::runtime(choices_.one_of(forms)), setting.name, choices_.one_of(setting.values)), {}, {}};
}

}  // namespace polarsim::scenarios::cli::test
