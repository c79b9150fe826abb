#include "engine/distribution/outside_tables.h"

#include "engine/distribution/entries.h"
#include "engine/query/expression_walk.h"

namespace polarsim::engine::distribution {
namespace {

using query::Query;
using query::QueryPtr;

const Query* find_outside(const Query& query, bool in_from, const IsOutside& is_outside);

const Query* find_in(const QueryPtr& inner, const IsOutside& is_outside) {
  if (!is_correlated(*inner) && is_outside(*inner)) return inner.get();
  return find_outside(*inner, true, is_outside);
}

const Query* find_outside(const Query& query, bool in_from, const IsOutside& is_outside) {
  const Query* found = nullptr;
  if (in_from) {
    query::for_each_query(query, [&](const QueryPtr& inner) {
      if (!found) found = find_in(inner, is_outside);
    });
  }
  query::for_each_expression(query, [&](const query::ExpressionPtr& expression) {
    for_each_subquery(expression, [&](const query::Subquery& subquery) {
      if (!found) found = find_in(subquery.query, is_outside);
    });
  });
  return found;
}

}  // namespace

QueryPtr replace_outside_queries(const QueryPtr& query, bool in_from, const IsOutside& is_outside,
                                 SubplanList& subplans) {
  QueryPtr current = query;
  while (const Query* found = find_outside(*current, in_from, is_outside)) {
    current = replace_subquery(current, found, subplans);
  }
  return current;
}

}  // namespace polarsim::engine::distribution
