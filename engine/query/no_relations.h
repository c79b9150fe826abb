// For the analysis of expressions that see one row and nothing else: defaults, checks, keys of indexes, arguments.
#pragma once

#include <string_view>

#include "engine/query/relation.h"

namespace polarsim::engine::query {

class NoRelations final : public RelationSource {
 public:
  RelationPtr open(std::string_view /*schema*/, std::string_view /*name*/, syntax::TableLockMode /*lock*/) override {
    return nullptr;
  }
  bool has_schema(std::string_view /*name*/) const override { return false; }
};

}  // namespace polarsim::engine::query
