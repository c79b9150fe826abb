#include "engine/executor/relation_shape.h"

#include <memory>
#include <utility>

namespace polarsim::engine::executor {

query::Relation shape_of(const catalog::Definition& definition, catalog::RelationId id) {
  query::Relation relation;
  relation.id = id;
  relation.schema = definition.schema;
  relation.name = definition.name;
  for (const catalog::Column& column : definition.columns) {
    query::RelationColumn made;
    made.name = column.name;
    made.type = column.type;
    made.not_null = column.not_null;
    made.dropped = column.dropped;
    if (!column.generated_text.empty()) made.generated = std::make_shared<const syntax::Expression>();
    relation.columns.push_back(std::move(made));
  }
  return relation;
}

}  // namespace polarsim::engine::executor
