// A short reminder of the statements that the cluster understands, for \h and completion.
#pragma once

#include <span>

namespace polarsim::scenarios::cli::prompt {

struct SqlHelp {
  const char* name;
  const char* summary;
  const char* syntax;
};

// In order of their names.
std::span<const SqlHelp> sql_help();

}  // namespace polarsim::scenarios::cli::prompt
