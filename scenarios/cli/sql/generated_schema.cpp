#include "scenarios/cli/sql/generated_schema.h"

#include <algorithm>

namespace polarsim::scenarios::cli::test {

GeneratedTable* GeneratedSchema::find(const std::string& name) {
  const auto found = std::ranges::find(tables, name, &GeneratedTable::name);
  return found == tables.end() ? nullptr : &*found;
}

bool GeneratedSchema::leads_to(const GeneratedTable& table, const std::string& name) const {
  std::vector<std::string> reached{table.name};
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (reached[i] == name) return true;
    for (const GeneratedTable& each : tables) {
      for (const GeneratedReference& reference : each.references) {
        if (each.name != reached[i] && reference.parent != reached[i]) continue;
        const std::string& other = each.name == reached[i] ? reference.parent : each.name;
        if (std::ranges::find(reached, other) == reached.end()) reached.push_back(other);
      }
    }
  }
  return false;
}

void GeneratedSchema::forget_views() {
  std::erase_if(tables, [](const GeneratedTable& table) { return table.is_view; });
}

std::string beside(const std::string& name, const std::string& neighbour) {
  const std::size_t dot = neighbour.find('.');
  return dot == std::string::npos ? name : neighbour.substr(0, dot + 1) + name;
}

}  // namespace polarsim::scenarios::cli::test
