#include "checkers/picture_text.h"

#include <algorithm>

#include "checkers/explain.h"

namespace polarsim::checkers {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// The length of the character that begins here if it is well-formed UTF-8 and XML can carry it, else 0.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0x80   ? 1
                             : byte(0) < 0xC2 ? 0
                             : byte(0) < 0xE0 ? 2
                             : byte(0) < 0xF0 ? 3
                             : byte(0) < 0xF5 ? 4
                                              : 0;
  if (length == 0 || length > text.size()) return 0;
  std::uint32_t code = length == 1 ? byte(0) : byte(0) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < least[length] || code > 0x10FFFF) return 0;
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  const bool control = (code < 0x20 && code != '\n') || (code >= 0x7F && code < 0xA0);
  return surrogate || control || code == 0xFFFE || code == 0xFFFF ? 0 : length;
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::size_t characters_in(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) { return !continues(c); }));
}

// Of the text of a long list its last elements, because these are what a dependency is about.
std::string end_of_list(const std::string& edn) {
  constexpr std::size_t whole_at_most = 16, end_at_most = 10;
  if (edn.size() <= whole_at_most || edn.front() != '[') return edn;
  const std::size_t blank = edn.find(' ', edn.size() - end_at_most);
  return blank == std::string::npos ? edn : "[..." + edn.substr(blank);
}

}  // namespace

std::string printable_utf8(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    result += length == 0 ? replacement : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string cut_to(std::string_view utf8, std::size_t characters) {
  if (characters_in(utf8) <= characters) return std::string(utf8);
  std::size_t end = 0;
  for (std::size_t left = characters > 3 ? characters - 3 : 0; end < utf8.size(); ++end) {
    if (!continues(utf8[end]) && left-- == 0) break;
  }
  return std::string(utf8.substr(0, end)) + "...";
}

std::int64_t first_invocation_ns(const Explanation& explanation) {
  const auto first = std::min_element(explanation.operations.begin(), explanation.operations.end(),
                                      [](const auto& a, const auto& b) { return a.invoked_ns < b.invoked_ns; });
  return first == explanation.operations.end() ? 0 : first->invoked_ns;
}

std::string span_text(const Explanation::Participant& one, std::int64_t base_ns) {
  std::string text = duration_text(one.invoked_ns - base_ns);
  if (!one.completed) return text + " on, never answered";
  text += " to " + duration_text(one.completed_ns - base_ns);
  text += ", ";
  return text + (one.outcome == EventType::info ? "outcome unknown" : to_string(one.outcome));
}

std::vector<std::string> operation_lines(const Explanation& explanation) {
  const std::int64_t base_ns = first_invocation_ns(explanation);
  std::vector<std::string> lines;
  for (const Explanation::Participant& one : explanation.operations) {
    std::string line = "op " + std::to_string(one.index);
    line += ": process " + std::to_string(one.process);
    if (!one.node.empty()) line += " on " + one.node;
    line += ", " + span_text(one, base_ns);
    lines.push_back(line + ", " + one.transaction);
  }
  return lines;
}

std::string edge_label(const Explanation::Edge& edge) {
  std::string text = edge.relations.empty() ? std::string() : edge.relations.front();
  if (!edge.key.empty()) text += " key " + edge.key;
  if (!edge.before.empty() || !edge.after.empty()) text += ": ";
  text += end_of_list(edge.before);
  if (!edge.before.empty() && !edge.after.empty()) text += " -> ";
  return text + end_of_list(edge.after);
}

std::vector<std::string> wrapped_transaction(std::string_view edn, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  const auto flush = [&] {
    if (!line.empty()) lines.push_back(std::move(line));
    line.clear();
  };
  while (!edn.empty()) {
    // A step ends where the next one begins.
    std::size_t end = edn.size();
    for (const std::string_view next : {"] [:", "] ...", "... [:"}) {
      const std::size_t at = edn.find(next);
      if (at != std::string_view::npos) end = std::min(end, edn.find(' ', at + (next[0] == ']' ? 1 : 0)));
    }
    const std::string_view step = edn.substr(0, end);
    if (!line.empty() && characters_in(line) + 1 + characters_in(step) > width) flush();
    if (!line.empty()) line += ' ';
    line += step;
    edn.remove_prefix(std::min(end + 1, edn.size()));
  }
  flush();
  return lines;
}

}  // namespace polarsim::checkers
