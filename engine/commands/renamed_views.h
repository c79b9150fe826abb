// Views keep what they select as a text that names relations; PostgreSQL keeps trees, which do not mind other names. So
// before relations get other names, or move to other schemas, the texts of the views that use them are read, to be
// written with the new names: as if pg_get_viewdef() was asked after the change.
#pragma once

#include <map>
#include <string>

#include "engine/commands/objects.h"
#include "engine/query/deparse.h"

namespace polarsim::engine::commands {

class RenamedViews {
 public:
  // What relations are called afterwards. Now they go by their old names.
  RenamedViews(CommandContext& context, std::map<RelationId, query::RelationName> names);
  // When they have their new names.
  void write() const;

 private:
  query::QueryPtr with_new_aliases(const query::QueryPtr& query) const;

  CommandContext& context_;
  std::map<RelationId, query::RelationName> names_;
  std::map<RelationId, std::string> texts_;  // of views
};

}  // namespace polarsim::engine::commands
