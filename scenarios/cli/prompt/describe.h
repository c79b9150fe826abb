// The \d family: what is in the catalogs, asked for by SQL over pg_catalog.
//
// The queries join what psql 15's join (source of the columns and their order: its bin/psql/describe.c), in our own
// words. Of a relation, what the simulated cluster cannot have is not asked for: policies, publications, statistics
// objects, rules and triggers.
#pragma once

#include <optional>
#include <string>

#include "scenarios/cli/prompt/session.h"

namespace polarsim::scenarios::cli::prompt {

struct DescribeOptions {
  bool verbose = false;  // +
  bool system = false;   // S
};

using Pattern = std::optional<std::string>;

// Each false if something went wrong, which has been said.
bool list_relations(Session& session, const std::string& kinds, const Pattern& pattern, const DescribeOptions& options);
bool list_schemas(Session& session, const Pattern& pattern, const DescribeOptions& options);
bool list_functions(Session& session, const std::string& kinds, const Pattern& pattern, const DescribeOptions& options);
bool list_databases(Session& session, const Pattern& pattern, bool verbose);
// \d NAME, for each relation that fits.
bool describe_relations(Session& session, const Pattern& pattern, const DescribeOptions& options);

// Conditions that a pattern puts on a query: of names in `name_column`, in a schema of `schema_column` (empty: the
// object has none), or else visible by `visibility`. None, and says why, if the pattern has too many dots.
std::optional<std::string> pattern_conditions(Session& session, const Pattern& pattern, const std::string& name_column,
                                              const std::string& schema_column, const std::string& visibility);

// Prints what a query gives.
bool print_query(Session& session, const std::string& query, const std::string& title);

}  // namespace polarsim::scenarios::cli::prompt
