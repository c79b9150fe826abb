#include "engine/cluster/sequence_copies.h"

#include <set>
#include <utility>

#include "engine/types/quote.h"
#include "engine/types/text_form.h"

namespace polarsim::engine::cluster {

std::vector<NodeCommand> SequenceCopies::commands(const std::string& schema, const std::optional<std::string>& name,
                                                  const Statement& statement) const {
  std::vector<NodeCommand> looks;
  for (const int group : work_.other_coordinators())
    looks.push_back({group, copied_sequences_query(schema, name, group), false});
  std::vector<NodeCommand> commands;
  if (looks.empty()) return commands;
  const std::vector<QueryResult> found = work_.cluster().run_there(looks);
  for (std::size_t i = 0; i < looks.size(); ++i) {
    for (const Row& row : found[i].rows) {
      const std::string copy = output_value(row.at(0), TypeId::name, {});
      commands.push_back({looks[i].group, statement(quote_identifier(schema) + "." + quote_identifier(copy)), true});
    }
  }
  return commands;
}

void SequenceCopies::make(const catalog::Definition& sequence) const {
  std::set<int> without;
  for (const int group : work_.other_coordinators()) without.insert(group);
  const auto same = [](const std::string& copy) { return copy; };
  for (const NodeCommand& there : commands(sequence.schema, sequence.name, same)) without.erase(there.group);
  std::vector<NodeCommand> creations;
  for (const int group : without) {
    if (std::string schema = schema_statement(sequence.schema); !schema.empty())
      creations.push_back({group, std::move(schema), true});
    for (std::string& statement : sequence_statements(sequence, group))
      creations.push_back({group, std::move(statement), true});
  }
  if (!creations.empty()) work_.cluster().run_there(creations);
}

void SequenceCopies::make_for(const TableParts& parts) const {
  std::set<std::string> made;
  for (const UsedSequence& used : parts.sequences) {
    if (!used.owned && made.insert(qualified_name(*used.definition)).second) make(*used.definition);
  }
}

}  // namespace polarsim::engine::cluster
