#include "engine/cluster/gid.h"

#include <charconv>

namespace polarsim::engine::cluster {

namespace {

constexpr std::string_view prefix = "polar_";

// Takes a decimal number and the separator or end behind it off the front of `rest`.
template <typename Integer>
bool take_number(std::string_view& rest, bool last, Integer& number) {
  const std::string_view digits = rest.substr(0, rest.find('_'));
  if (digits.empty() || (digits.size() > 1 && digits[0] == '0') || digits[0] == '-') return false;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  if (last != (digits.size() == rest.size())) return false;
  rest.remove_prefix(last ? digits.size() : digits.size() + 1);
  return true;
}

}  // namespace

std::string Gid::text() const {
  return std::string(prefix) + std::to_string(group_id) + "_" + std::to_string(transaction.process_id) + "_" +
         std::to_string(transaction.number) + "_" + std::to_string(connection);
}

std::optional<Gid> Gid::parse(std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  Gid gid;
  if (!take_number(text, false, gid.group_id) || !take_number(text, false, gid.transaction.process_id) ||
      !take_number(text, false, gid.transaction.number) || !take_number(text, true, gid.connection)) {
    return std::nullopt;
  }
  return gid;
}

}  // namespace polarsim::engine::cluster
