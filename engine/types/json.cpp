#include "engine/types/json.h"

#include <algorithm>

namespace polarsim::engine {

Json::Json(Members members) {
  const auto shorter = [](const Member& a, const Member& b) {
    return a.key.size() != b.key.size() ? a.key.size() < b.key.size() : a.key < b.key;
  };
  std::stable_sort(members.begin(), members.end(), shorter);
  // Of equal keys the last one stays.
  Members kept;
  kept.reserve(members.size());
  for (Member& member : members) {
    if (!kept.empty() && kept.back().key == member.key) {
      kept.back() = std::move(member);
    } else {
      kept.push_back(std::move(member));
    }
  }
  data_ = std::move(kept);
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const Member& member : members()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

bool operator==(const Json& a, const Json& b) { return a.data_ == b.data_; }

}  // namespace polarsim::engine
