#include "scenarios/cli/sql/generated_schema.h"

#include <algorithm>

namespace polarsim::scenarios::cli::test {

GeneratedTable* GeneratedSchema::find(const std::string& name) {
  const auto found = std::ranges::find(tables, name, &GeneratedTable::name);
  return found == tables.end() ? nullptr : &*found;
}

void GeneratedSchema::forget_views() {
  std::erase_if(tables, [](const GeneratedTable& table) { return table.is_view; });
}

std::string beside(const std::string& name, const std::string& neighbour) {
  const std::size_t dot = neighbour.find('.');
  return dot == std::string::npos ? name : neighbour.substr(0, dot + 1) + name;
}

}  // namespace polarsim::scenarios::cli::test
