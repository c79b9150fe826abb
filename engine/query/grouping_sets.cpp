#include "engine/query/grouping_sets.h"

#include <algorithm>

#include "engine/types/error.h"

namespace polarsim::engine::query {

namespace {

using Sets = std::vector<std::vector<int>>;

void add_groups(std::vector<int>& set, const std::vector<int>& groups) {
  for (const int group : groups) {
    if (std::find(set.begin(), set.end(), group) == set.end()) set.push_back(group);
  }
}

Sets expand(const GroupSet& item) {
  Sets result;
  const std::vector<GroupSet>& content = item.content;
  switch (item.kind) {
    case GroupSet::Kind::simple:
      result.push_back(item.groups);
      break;
    case GroupSet::Kind::rollup:
      for (std::size_t count = content.size() + 1; count-- > 0;) {
        std::vector<int>& set = result.emplace_back();
        for (std::size_t i = 0; i < count; ++i) add_groups(set, content[i].groups);
      }
      break;
    case GroupSet::Kind::cube:
      for (std::size_t mask = 0; mask < std::size_t{1} << content.size(); ++mask) {
        std::vector<int>& set = result.emplace_back();
        for (std::size_t i = 0; i < content.size(); ++i) {
          if ((mask >> i & 1) != 0) add_groups(set, content[i].groups);
        }
      }
      break;
    case GroupSet::Kind::sets:
      for (const GroupSet& inner : content) {
        for (std::vector<int>& set : expand(inner)) result.push_back(std::move(set));
      }
      break;
  }
  return result;
}

}  // namespace

std::vector<std::vector<int>> expand_grouping_sets(const std::vector<GroupSet>& items, bool distinct) {
  Sets result{{}};
  for (const GroupSet& item : items) {
    const Sets expanded = expand(item);
    if (result.size() * expanded.size() > grouping_sets_max) {
      throw SqlError(sqlstate::statement_too_complex, "too many grouping sets present (maximum 4096)");
    }
    Sets product;
    product.reserve(result.size() * expanded.size());
    for (const std::vector<int>& left : result) {
      for (const std::vector<int>& right : expanded) {
        std::vector<int>& set = product.emplace_back(left);
        add_groups(set, right);
      }
    }
    result = std::move(product);
  }
  if (distinct) {
    for (std::vector<int>& set : result) std::sort(set.begin(), set.end());
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
  }
  // Shortest first; what is equally long keeps its order.
  Sets ordered;
  ordered.reserve(result.size());
  std::size_t longest = 0;
  for (const std::vector<int>& set : result) longest = std::max(longest, set.size());
  for (std::size_t size = 0; size <= longest; ++size) {
    for (std::vector<int>& set : result) {
      if (set.size() == size) ordered.push_back(set);
    }
  }
  return ordered;
}

}  // namespace polarsim::engine::query
