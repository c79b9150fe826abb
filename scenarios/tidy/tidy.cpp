#include "scenarios/tidy/tidy.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

namespace polarsim::scenarios::tidy {

namespace {

struct LayerRule {
  std::string_view layer;
  std::vector<std::string_view> may_include;
};

const std::vector<LayerRule>& layer_rules() {
  static const std::vector<LayerRule> rules{
      {"sim", {"sim"}},
      {"checkers", {"checkers"}},
      {"engine", {"engine", "sim"}},
      {"faults", {"faults", "sim"}},
      {"reports", {"reports"}},
      {"scenarios", {"scenarios", "reports", "faults", "engine", "checkers", "sim"}},
  };
  return rules;
}

// Libraries inside the engine that know nothing of those above them (docs/query.md).
const std::vector<LayerRule>& library_rules() {
  static const std::vector<LayerRule> rules{
      {"engine/types", {"engine/types"}},
      {"engine/syntax", {"engine/syntax", "engine/types"}},
      {"engine/query", {"engine/query", "engine/syntax", "engine/types"}},
      {"engine/plan", {"engine/plan", "engine/query", "engine/syntax", "engine/types"}},
      {"engine/copy", {"engine/copy", "engine/syntax", "engine/types"}},
      {"engine/distribution", {"engine/distribution", "engine/plan", "engine/query", "engine/syntax", "engine/types"}},
  };
  return rules;
}

struct NameRule {
  std::string_view rule;
  const char* pattern;  // matched against a line without comments and literals
  std::string_view instead;
};

constexpr std::array<NameRule, 7> name_rules{{
    {"wall-clock",
     R"(\b(system_clock|steady_clock|high_resolution_clock|file_clock|utc_clock|gettimeofday|clock_gettime|timespec_get|localtime|localtime_r|gmtime)\b|\btime\s*\(\s*(NULL|nullptr|0)\s*\)|\b__rdtsc\b)",
     "ask sim for the virtual time"},
    {"random-source",
     R"(\brandom_device\b|\b(mt19937|mt19937_64|minstd_rand|default_random_engine|ranlux\w+)\b|\b\w+_distribution\s*<|\b(std::)?s?rand\s*\(|\brandom\s*\(\s*\)|\bgetrandom\b|\bgetentropy\b|\barc4random\w*\b)",
     "draw from a named sim::RandomStream"},
    {"environment", R"(\b(secure_)?getenv\b|\benviron\b)", "pass it down from scenarios/cli"},
    {"thread",
     R"(\bstd::(j?thread|mutex|recursive_mutex|shared_mutex|condition_variable|async|this_thread)\b|\bpthread_\w+|\bgettid\b)",
     "use the fibers of sim"},
    {"unordered", R"(\bstd::(unordered_(multi)?(map|set)|hash)\b|\babsl::)",
     "use std::map, boost::unordered_flat_map or sim::stable_hash"},
    {"pointer-order",
     R"(\bstd::(multi)?(map|set)\s*<\s*(const\s+)?[\w:]+(\s*<[^<>]*>)?\s*(const\s*)?\*|\bstd::(less|greater)\s*<[^<>]*\*\s*>|\bowner_less\b)",
     "order by an id or a name"},
    {"address", R"(\breinterpret_cast\s*<\s*(std::)?u?intptr_t\s*>)", "an address differs from run to run: use an id"},
}};

std::string layer_of(std::string_view path) {
  const std::size_t slash = path.find('/');
  return std::string(path.substr(0, slash));
}

bool ends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

// Walks a source text and blanks comments and the insides of literals, keeping line ends and include paths.
class Stripper {
 public:
  explicit Stripper(std::string_view text) : text_(text), out_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        blank_until('\n', false);
      } else if (starts("/*")) {
        blank_block();
      } else if (starts("R\"")) {
        blank_raw_string();
      } else if (text_[at_] == '"' && !on_include_line()) {
        blank_literal('"');
      } else if (text_[at_] == '\'' && !is_digit_separator()) {
        blank_literal('\'');
      } else {
        ++at_;
      }
    }
    return out_;
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_, what.size()) == what; }
  bool is_digit_separator() const { return at_ > 0 && std::isalnum(static_cast<unsigned char>(text_[at_ - 1])) != 0; }
  bool on_include_line() const {
    const std::size_t start = text_.rfind('\n', at_);
    const std::string_view line = text_.substr(start == std::string_view::npos ? 0 : start + 1,
                                               at_ - (start == std::string_view::npos ? 0 : start + 1));
    return line.find("#include") != std::string_view::npos;
  }
  void blank() {
    if (text_[at_] != '\n') out_[at_] = ' ';
    ++at_;
  }
  void blank_until(char end, bool inclusive) {
    while (at_ < text_.size() && text_[at_] != end) blank();
    if (inclusive && at_ < text_.size()) blank();
  }
  void blank_block() {
    while (at_ < text_.size() && !starts("*/")) blank();
    for (int i = 0; i < 2 && at_ < text_.size(); ++i) blank();
  }
  void blank_raw_string() {
    const std::size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) {
      at_ = text_.size();
      return;
    }
    const std::string close = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
    const std::size_t end = text_.find(close, open);
    const std::size_t stop = end == std::string_view::npos ? text_.size() : end + close.size();
    while (at_ < stop) blank();
  }
  void blank_literal(char quote) {
    ++at_;
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) blank();
      if (at_ < text_.size()) blank();
    }
    if (at_ < text_.size()) ++at_;
  }

  std::string_view text_;
  std::string out_;
  std::size_t at_ = 0;
};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

// "engine/types/value.h" is in "engine/types".
std::string library_of(std::string_view path) {
  const std::size_t first = path.find('/');
  const std::size_t second = first == std::string_view::npos ? first : path.find('/', first + 1);
  return std::string(path.substr(0, second == std::string_view::npos ? 0 : second));
}

void check_library_include(std::string_view path, const std::string& line, std::size_t number,
                           std::vector<Violation>& out) {
  static const std::regex include(R"re(^\s*#\s*include\s*"([^"]+)")re");
  std::smatch match;
  if (!std::regex_search(line, match, include)) return;
  const std::string included = match[1];
  const std::string library = library_of(path);
  const auto& rules = library_rules();
  const auto rule =
      std::find_if(rules.begin(), rules.end(), [&](const LayerRule& each) { return each.layer == library; });
  // Errors are everybody's.
  if (rule == rules.end() || included == "engine/types/error.h") return;
  const std::string target = library_of(included);
  if (layer_of(included) != "engine" && layer_of(included) != "sim") return;
  if (std::find(rule->may_include.begin(), rule->may_include.end(), target) != rule->may_include.end()) return;
  out.push_back({std::string(path), number, "layering", library + " includes " + included + ", which is not below it"});
}

void check_include(std::string_view path, const std::string& line, std::size_t number, std::vector<Violation>& out) {
  static const std::regex include(R"(^\s*#\s*include\s*"([^"/]+)/)");
  std::smatch match;
  if (!std::regex_search(line, match, include)) return;
  const std::string target = match[1];
  const std::string layer = layer_of(path);
  const auto& rules = layer_rules();
  const auto named = [](std::string_view name) { return [name](const LayerRule& rule) { return rule.layer == name; }; };
  if (std::none_of(rules.begin(), rules.end(), named(target))) return;  // not a layer of ours
  const auto rule = std::find_if(rules.begin(), rules.end(), named(layer));
  if (rule == rules.end()) return;
  if (std::find(rule->may_include.begin(), rule->may_include.end(), target) != rule->may_include.end()) return;
  out.push_back({std::string(path), number, "layering", layer + " includes " + target + ", which is not below it"});
}

void check_names(std::string_view path, const std::string& code, const std::string& original, std::size_t number,
                 std::vector<Violation>& out) {
  static const std::vector<std::regex> compiled = [] {
    std::vector<std::regex> result;
    for (const NameRule& rule : name_rules) result.emplace_back(rule.pattern);
    return result;
  }();
  for (std::size_t i = 0; i < name_rules.size(); ++i) {
    std::smatch match;
    if (!std::regex_search(code, match, compiled[i])) continue;
    const std::string allowance = "tidy: allow " + std::string(name_rules[i].rule) + ": ";
    const std::size_t reason = original.find(allowance);
    if (reason != std::string::npos && reason + allowance.size() < original.size()) continue;
    out.push_back({std::string(path), number, std::string(name_rules[i].rule),
                   "found '" + match.str() + "'; " + std::string(name_rules[i].instead)});
  }
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

std::vector<Violation> check_source(std::string_view path, std::string_view text) {
  std::vector<Violation> out;
  const bool test = ends_with(path, "_test.cpp");
  const bool command = path.substr(0, 14) == "scenarios/cli/";
  const std::string stripped = Stripper(text).run();
  const std::vector<std::string> code = lines_of(stripped);
  const std::vector<std::string> original = lines_of(text);
  for (std::size_t i = 0; i < code.size(); ++i) {
    check_include(path, code[i], i + 1, out);
    check_library_include(path, code[i], i + 1, out);
    if (!test && !command) check_names(path, code[i], original[i], i + 1, out);
  }
  if (ends_with(path, ".h") && stripped.find("#pragma once") == std::string::npos) {
    out.push_back({std::string(path), 1, "pragma-once", "a header starts with #pragma once"});
  }
  return out;
}

std::vector<Violation> check_tree(const std::string& root, std::size_t* files_read) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  for (const LayerRule& rule : layer_rules()) {
    const fs::path folder = fs::path(root) / rule.layer;
    if (!fs::exists(folder)) continue;
    for (auto entry = fs::recursive_directory_iterator(folder); entry != fs::recursive_directory_iterator(); ++entry) {
      if (entry->is_directory() && entry->path().filename() == "fixtures") {
        entry.disable_recursion_pending();
        continue;
      }
      const std::string extension = entry->path().extension().string();
      if (extension == ".h" || extension == ".cpp") paths.push_back(fs::relative(entry->path(), root).string());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Violation> out;
  for (const std::string& path : paths) {
    std::vector<Violation> found = check_source(path, read_file(fs::path(root) / path));
    out.insert(out.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  if (files_read != nullptr) *files_read = paths.size();
  return out;
}

}  // namespace polarsim::scenarios::tidy
