#include "engine/query/query.h"

#include <utility>

namespace polarsim::engine::query {

POLARSIM_DEFINE_VALUE_TYPE(Expression);
POLARSIM_DEFINE_VALUE_TYPE(RangeTableEntry);
POLARSIM_DEFINE_VALUE_TYPE(Query);

Expression::Expression(Node its_node, Type its_type, int its_position)
    : node(std::move(its_node)), type(its_type), position(its_position) {}

}  // namespace polarsim::engine::query
