// \crosstabview: an answer of three columns, turned into a table with a column for each value of one of them.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "scenarios/cli/prompt/connection.h"
#include "scenarios/cli/prompt/table.h"

namespace polarsim::scenarios::cli::prompt {

// As written: numbers or names of the columns of rows, of columns, of cells, and of what orders the columns.
using CrosstabColumns = std::array<std::optional<std::string>, 4>;

struct Crosstab {
  Table table;
  std::string problem;  // why there is no table
};

// Rows and columns come in the order of their first appearance. Source of the rules: the documentation of psql, and its
// bin/psql/crosstabview.c.
Crosstab make_crosstab(const Answer& answer, const CrosstabColumns& wanted, const std::string& null_text);

}  // namespace polarsim::scenarios::cli::prompt
