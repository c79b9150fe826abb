#include "scenarios/cli/prompt/describe.h"

#include <algorithm>
#include <string_view>

#include "scenarios/cli/prompt/backslash.h"
#include "scenarios/cli/prompt/name_pattern.h"
#include "scenarios/cli/prompt/statements.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

bool has(const std::string& letters, char letter) { return letters.find(letter) != std::string::npos; }

constexpr const char* kind_names =
    "CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'"
    " WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table'"
    " WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END";

constexpr const char* persistence_names =
    "CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 't' THEN 'temporary' WHEN 'u' THEN 'unlogged' END";

// Objects of the system are left out unless they were asked for.
std::string without_system(const Pattern& pattern, const DescribeOptions& options, bool toast) {
  if (pattern || options.system) return "";
  return std::string("\n  AND n.nspname <> 'pg_catalog'") + (toast ? "\n  AND n.nspname !~ '^pg_toast'" : "") +
         "\n  AND n.nspname <> 'information_schema'";
}

std::string relation_kinds(const std::string& kinds, bool special) {
  std::string list;
  if (has(kinds, 't')) list += special ? "'r','p','t'," : "'r','p',";
  if (has(kinds, 'v')) list += "'v',";
  if (has(kinds, 'm')) list += "'m',";
  if (has(kinds, 'i')) list += "'i','I',";
  if (has(kinds, 's')) list += "'S',";
  if (has(kinds, 'E')) list += "'f',";
  list.pop_back();
  return list;
}

}  // namespace

std::optional<std::string> pattern_conditions(Session& session, const Pattern& pattern, const std::string& name_column,
                                              const std::string& schema_column, const std::string& visibility) {
  if (!pattern) return visibility.empty() ? "" : "\n  AND " + visibility;
  const NamePattern parsed = parse_name_pattern(*pattern);
  const int most_dots = schema_column.empty() ? 0 : 2;
  if (parsed.dots > most_dots) {
    session.error("improper qualified name (too many dotted names): " + *pattern);
    return std::nullopt;
  }
  if (parsed.database && session.connection != nullptr && *parsed.database != session.connection->info().database) {
    session.error("cross-database references are not implemented: " + *pattern);
    return std::nullopt;
  }
  std::string conditions;
  if (parsed.schema) conditions += matches(schema_column, *parsed.schema);
  conditions += matches(name_column, parsed.name);
  if (!parsed.schema && !visibility.empty()) conditions += "\n  AND " + visibility;
  return conditions;
}

bool print_query(Session& session, const std::string& query, const std::string& title) {
  const auto answer = ask(session, query);
  if (!answer) return false;
  Table table = table_of(session, *answer, "");
  table.title = title;
  print_to_output(session, table);
  return true;
}

bool list_relations(Session& session, const std::string& kinds, const Pattern& pattern,
                    const DescribeOptions& options) {
  const bool indexes = has(kinds, 'i');
  const bool with_method = has(kinds, 't') || has(kinds, 'm') || indexes;
  const auto conditions =
      pattern_conditions(session, pattern, "c.relname", "n.nspname", "pg_catalog.pg_table_is_visible(c.oid)");
  if (!conditions) return false;
  std::string query = std::string("SELECT n.nspname AS \"Schema\", c.relname AS \"Name\",\n  ") + kind_names +
                      " AS \"Type\",\n  pg_catalog.pg_get_userbyid(c.relowner) AS \"Owner\"";
  if (indexes) query += ",\n  c2.relname AS \"Table\"";
  if (options.verbose) {
    query += std::string(",\n  ") + persistence_names + " AS \"Persistence\"";
    if (with_method && !session.settings.hide_table_method) query += ",\n  am.amname AS \"Access method\"";
    query +=
        ",\n  pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)) AS \"Size\""
        ",\n  pg_catalog.obj_description(c.oid, 'pg_class') AS \"Description\"";
  }
  query += "\nFROM pg_catalog.pg_class c\n  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace";
  if (with_method) query += "\n  LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam";
  if (indexes) {
    query +=
        "\n  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid"
        "\n  LEFT JOIN pg_catalog.pg_class c2 ON c2.oid = i.indrelid";
  }
  query += "\nWHERE c.relkind IN (" + relation_kinds(kinds, options.system || pattern) + ")" +
           without_system(pattern, options, true) + *conditions + "\nORDER BY 1, 2";
  const auto answer = ask(session, query);
  if (!answer) return false;
  if (answer->rows == 0 && !session.settings.quiet) {
    session.error(pattern ? "Did not find any relation named \"" + *pattern + "\"." : "Did not find any relations.");
    return true;
  }
  Table table = table_of(session, *answer, "");
  table.title = "List of relations";
  print_to_output(session, table);
  return true;
}

bool list_schemas(Session& session, const Pattern& pattern, const DescribeOptions& options) {
  const auto conditions = pattern_conditions(session, pattern, "n.nspname", "", "");
  if (!conditions) return false;
  std::string query = "SELECT n.nspname AS \"Name\",\n  pg_catalog.pg_get_userbyid(n.nspowner) AS \"Owner\"";
  if (options.verbose) {
    query +=
        ",\n  pg_catalog.array_to_string(n.nspacl, E'\\n') AS \"Access privileges\""
        ",\n  pg_catalog.obj_description(n.oid, 'pg_namespace') AS \"Description\"";
  }
  query += "\nFROM pg_catalog.pg_namespace n\nWHERE true";
  if (!pattern && !options.system) query += "\n  AND n.nspname !~ '^pg_'\n  AND n.nspname <> 'information_schema'";
  return print_query(session, query + *conditions + "\nORDER BY 1", "List of schemas");
}

namespace {

// Which kinds of functions \df is asked for: a(ggregate), n(ormal), p(rocedure), t(rigger), w(indow).
std::string function_kinds(const std::string& kinds) {
  std::string wanted;
  for (const char kind : {'a', 'n', 'p', 't', 'w'}) {
    if (has(kinds, kind)) wanted += kind;
  }
  if (wanted.empty() || wanted.size() == 5) return "";
  std::string condition;
  if (has(wanted, 'n')) {
    if (!has(wanted, 'a')) condition += "\n  AND p.prokind <> 'a'";
    if (!has(wanted, 'p')) condition += "\n  AND p.prokind <> 'p'";
    if (!has(wanted, 't')) condition += "\n  AND p.prorettype <> 'pg_catalog.trigger'::pg_catalog.regtype";
    if (!has(wanted, 'w')) condition += "\n  AND p.prokind <> 'w'";
    return condition;
  }
  for (const char kind : wanted) {
    condition += condition.empty() ? "\n  AND (" : " OR ";
    condition += kind == 't' ? "p.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype"
                             : std::string("p.prokind = '") + kind + "'";
  }
  return condition + ")";
}

constexpr const char* function_columns =
    "SELECT n.nspname AS \"Schema\", p.proname AS \"Name\",\n"
    "  pg_catalog.pg_get_function_result(p.oid) AS \"Result data type\",\n"
    "  pg_catalog.pg_get_function_arguments(p.oid) AS \"Argument data types\",\n"
    "  CASE p.prokind WHEN 'a' THEN 'agg' WHEN 'w' THEN 'window' WHEN 'p' THEN 'proc' ELSE 'func' END AS \"Type\"";

constexpr const char* more_function_columns =
    ",\n  CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' WHEN 'v' THEN 'volatile' END"
    " AS \"Volatility\""
    ",\n  CASE p.proparallel WHEN 'r' THEN 'restricted' WHEN 's' THEN 'safe' WHEN 'u' THEN 'unsafe' END"
    " AS \"Parallel\""
    ",\n  pg_catalog.pg_get_userbyid(p.proowner) AS \"Owner\""
    ",\n  CASE WHEN p.prosecdef THEN 'definer' ELSE 'invoker' END AS \"Security\""
    ",\n  pg_catalog.array_to_string(p.proacl, E'\\n') AS \"Access privileges\""
    ",\n  l.lanname AS \"Language\""
    ",\n  COALESCE(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) AS \"Source code\""
    ",\n  pg_catalog.obj_description(p.oid, 'pg_proc') AS \"Description\"";

}  // namespace

bool list_functions(Session& session, const std::string& kinds, const Pattern& pattern,
                    const DescribeOptions& options) {
  const auto conditions =
      pattern_conditions(session, pattern, "p.proname", "n.nspname", "pg_catalog.pg_function_is_visible(p.oid)");
  if (!conditions) return false;
  std::string query = function_columns;
  if (options.verbose) query += more_function_columns;
  query += "\nFROM pg_catalog.pg_proc p\n  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace";
  if (options.verbose) query += "\n  LEFT JOIN pg_catalog.pg_language l ON l.oid = p.prolang";
  query += "\nWHERE true" + function_kinds(kinds) + *conditions + without_system(pattern, options, false) +
           "\nORDER BY 1, 2, 4";
  return print_query(session, query, "List of functions");
}

bool list_databases(Session& session, const Pattern& pattern, bool verbose) {
  const auto conditions = pattern_conditions(session, pattern, "d.datname", "", "");
  if (!conditions) return false;
  std::string query =
      "SELECT d.datname AS \"Name\",\n  pg_catalog.pg_get_userbyid(d.datdba) AS \"Owner\",\n"
      "  pg_catalog.pg_encoding_to_char(d.encoding) AS \"Encoding\",\n"
      "  d.datcollate AS \"Collate\",\n  d.datctype AS \"Ctype\",\n  d.daticulocale AS \"ICU Locale\",\n"
      "  CASE d.datlocprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' END AS \"Locale Provider\",\n"
      "  pg_catalog.array_to_string(d.datacl, E'\\n') AS \"Access privileges\"";
  if (verbose) {
    query +=
        ",\n  CASE WHEN pg_catalog.has_database_privilege(d.datname, 'CONNECT')\n"
        "    OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')\n"
        "    THEN pg_catalog.pg_size_pretty(pg_catalog.pg_database_size(d.datname)) ELSE 'No Access' END AS \"Size\""
        ",\n  t.spcname AS \"Tablespace\""
        ",\n  pg_catalog.shobj_description(d.oid, 'pg_database') AS \"Description\"";
  }
  query += "\nFROM pg_catalog.pg_database d";
  if (verbose) query += "\n  JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace";
  return print_query(session, query + "\nWHERE true" + *conditions + "\nORDER BY 1", "List of databases");
}

namespace {

bool list_types(Session& session, const Pattern& pattern, const DescribeOptions& options) {
  auto conditions =
      pattern_conditions(session, pattern, "t.typname", "n.nspname", "pg_catalog.pg_type_is_visible(t.oid)");
  if (!conditions) return false;
  if (pattern) {
    // A type may be meant by its name in SQL, too.
    const std::string by_name = matches("t.typname", parse_name_pattern(*pattern).name);
    const std::string shown = matches("pg_catalog.format_type(t.oid, NULL)", parse_name_pattern(*pattern).name);
    if (const std::size_t at = conditions->find(by_name); at != std::string::npos && !by_name.empty()) {
      const auto condition = [](const std::string& text) { return text.substr(text.find("AND ") + 4); };
      conditions->replace(at, by_name.size(), "\n  AND (" + condition(by_name) + "\n    OR " + condition(shown) + ")");
    }
  }
  std::string query = "SELECT n.nspname AS \"Schema\",\n  pg_catalog.format_type(t.oid, NULL) AS \"Name\"";
  if (options.verbose) {
    query +=
        ",\n  t.typname AS \"Internal name\""
        ",\n  CASE WHEN t.typrelid <> 0 THEN 'tuple' WHEN t.typlen < 0 THEN 'var' ELSE t.typlen::text END AS \"Size\""
        ",\n  ''::text AS \"Elements\""
        ",\n  pg_catalog.pg_get_userbyid(t.typowner) AS \"Owner\""
        ",\n  pg_catalog.array_to_string(t.typacl, E'\\n') AS \"Access privileges\"";
  }
  query +=
      ",\n  pg_catalog.obj_description(t.oid, 'pg_type') AS \"Description\""
      "\nFROM pg_catalog.pg_type t\n  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
      "\nWHERE t.typrelid = 0"
      "\n  AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)";
  return print_query(session, query + *conditions + without_system(pattern, options, false) + "\nORDER BY 1, 2",
                     "List of data types");
}

bool list_roles(Session& session, const Pattern& pattern, const DescribeOptions& options) {
  const auto conditions = pattern_conditions(session, pattern, "r.rolname", "", "");
  if (!conditions) return false;
  std::string query =
      "SELECT r.rolname AS \"Role name\",\n  pg_catalog.concat_ws(', ', CASE WHEN r.rolsuper THEN 'Superuser' END,"
      " CASE WHEN NOT r.rolinherit THEN 'No inheritance' END, CASE WHEN r.rolcreaterole THEN 'Create role' END,"
      " CASE WHEN r.rolcreatedb THEN 'Create DB' END, CASE WHEN NOT r.rolcanlogin THEN 'Cannot login' END,"
      " CASE WHEN r.rolreplication THEN 'Replication' END, CASE WHEN r.rolbypassrls THEN 'Bypass RLS' END)"
      " AS \"Attributes\","
      "\n  ARRAY(SELECT b.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON m.roleid = b.oid"
      " WHERE m.member = r.oid) AS \"Member of\"";
  if (options.verbose) query += ",\n  pg_catalog.shobj_description(r.oid, 'pg_authid') AS \"Description\"";
  query += "\nFROM pg_catalog.pg_roles r\nWHERE true";
  if (!pattern && !options.system) query += "\n  AND r.rolname !~ '^pg_'";
  const auto answer = ask(session, query + *conditions + "\nORDER BY 1");
  if (!answer) return false;
  Table table = table_of(session, *answer, "");
  table.title = "List of roles";
  table.default_footer = false;
  print_to_output(session, table);
  return true;
}

bool list_extensions(Session& session, const Pattern& pattern) {
  const auto conditions = pattern_conditions(session, pattern, "e.extname", "", "");
  if (!conditions) return false;
  return print_query(session,
                     "SELECT e.extname AS \"Name\", e.extversion AS \"Version\", n.nspname AS \"Schema\","
                     " pg_catalog.obj_description(e.oid, 'pg_extension') AS \"Description\""
                     "\nFROM pg_catalog.pg_extension e"
                     "\n  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace\nWHERE true" +
                         *conditions + "\nORDER BY 1",
                     "List of installed extensions");
}

bool list_privileges(Session& session, const Pattern& pattern) {
  const auto conditions =
      pattern_conditions(session, pattern, "c.relname", "n.nspname", "pg_catalog.pg_table_is_visible(c.oid)");
  if (!conditions) return false;
  return print_query(session,
                     std::string("SELECT n.nspname AS \"Schema\", c.relname AS \"Name\",\n  ") + kind_names +
                         " AS \"Type\",\n  pg_catalog.array_to_string(c.relacl, E'\\n') AS \"Access privileges\","
                         "\n  ''::text AS \"Column privileges\", ''::text AS \"Policies\""
                         "\nFROM pg_catalog.pg_class c"
                         "\n  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                         "\nWHERE c.relkind IN ('r','v','m','S','f','p')" +
                         *conditions + (pattern ? "" : "\n  AND n.nspname !~ '^pg_'") + "\nORDER BY 1, 2",
                     "Access privileges");
}

// \dconfig, from whose patterns dots are no qualification; without one, what differs from its default.
bool list_settings(Session& session, const Pattern& pattern, const DescribeOptions& options) {
  std::string query = "SELECT s.name AS \"Parameter\", pg_catalog.current_setting(s.name) AS \"Value\"";
  if (options.verbose) {
    query += ", s.vartype AS \"Type\", s.context AS \"Context\", ''::text AS \"Access privileges\"";
  }
  query += "\nFROM pg_catalog.pg_settings s\nWHERE ";
  if (pattern) {
    std::string condition = matches("pg_catalog.lower(s.name)", parse_name_pattern(*pattern).name);
    condition = condition.empty() ? "true" : condition.substr(condition.find("AND ") + 4);
    query += condition;
  } else {
    query += "s.source <> 'default' AND s.setting IS DISTINCT FROM s.boot_val";
  }
  return print_query(session, query + "\nORDER BY 1",
                     pattern ? "List of configuration parameters" : "List of non-default configuration parameters");
}

// Those with names of their own; nothing if it is none of them.
std::optional<bool> describe_others(Session& session, const std::string& kinds, const Pattern& pattern,
                                    const DescribeOptions& options) {
  std::string plain = kinds;
  std::erase_if(plain, [](char letter) { return letter == '+' || letter == 'S'; });
  if (plain == "T") return list_types(session, pattern, options);
  if (plain == "u" || plain == "g") return list_roles(session, pattern, options);
  if (plain == "x") return list_extensions(session, pattern);
  if (plain == "p") return list_privileges(session, pattern);
  if (plain == "config") return list_settings(session, pattern, options);
  return std::nullopt;
}

}  // namespace

CommandResult command_describe(CommandCall& call) {
  const std::string kinds = call.name.substr(1);
  DescribeOptions options;
  options.verbose = has(kinds, '+');
  options.system = has(kinds, 'S');
  const char first = kinds.empty() ? '\0' : kinds[0];
  if (std::string_view("Tugxpc").find(first) != std::string_view::npos && first != '\0') {
    static constexpr std::string_view known[] = {"T", "u", "g", "x", "p", "config"};
    const std::string plain = kinds.substr(0, kinds.find_first_of("+S"));
    if (std::find(std::begin(known), std::end(known), plain) == std::end(known)) return CommandResult::unknown;
    const std::optional<bool> good = describe_others(call.session, kinds, call.argument(), options);
    return good.value_or(false) ? CommandResult::done : CommandResult::failed;
  }
  if (std::string_view("tvmisEnf+S").find(first) == std::string_view::npos && first != '\0') {
    return CommandResult::unknown;
  }
  const Pattern pattern = call.argument();
  bool good = false;
  switch (first) {
    case 'n':
      good = list_schemas(call.session, pattern, options);
      break;
    case 'f':
      if (kinds.find_first_not_of("anptwS+", 1) != std::string::npos) return CommandResult::unknown;
      good = list_functions(call.session, kinds.substr(1), pattern, options);
      break;
    case '\0':
    case '+':
    case 'S':
      good = pattern ? describe_relations(call.session, pattern, options)
                     : list_relations(call.session, "tvmsE", pattern, options);
      break;
    default:
      good = list_relations(call.session, kinds, pattern, options);
  }
  return good ? CommandResult::done : CommandResult::failed;
}

CommandResult command_privileges(CommandCall& call) {
  return list_privileges(call.session, call.argument()) ? CommandResult::done : CommandResult::failed;
}

CommandResult command_list(CommandCall& call) {
  const Pattern pattern = call.argument();
  return list_databases(call.session, pattern, has(call.name, '+')) ? CommandResult::done : CommandResult::failed;
}

}  // namespace polarsim::scenarios::cli::prompt
