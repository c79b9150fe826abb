#include "engine/query/query.h"

#include "engine/query/analysis.h"

namespace polarsim::engine::query {

std::vector<OutputName> output_columns(const Query& query) {
  std::vector<OutputName> columns;
  for (const Target& target : query.command == Command::select ? query.targets : query.returning) {
    if (!target.hidden) columns.push_back({target.name, target.expression->type});
  }
  return columns;
}

}  // namespace polarsim::engine::query
