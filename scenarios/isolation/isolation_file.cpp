#include "scenarios/isolation/isolation_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "scenarios/input_file.h"
#include "scenarios/toml_section.h"

namespace polarsim::scenarios::isolation {
namespace {

using Keys = std::vector<std::string>;

const Keys file_keys{"description", "source", "setup", "sessions", "case"};
const Keys case_keys{"name", "description", "source", "setup", "sessions", "for_each", "steps", "final"};
const Keys step_keys{"session", "sql", "tag", "rows", "error", "until", "pause_ms", "disconnect"};
const Keys final_keys{"sql", "rows"};

std::uint32_t line_of(const toml::node& node) { return static_cast<std::uint32_t>(node.source().begin.line); }

// The elements of an array of tables, with their names for messages: "case[0].steps[2]".
std::vector<std::pair<const toml::table*, std::string>> tables_of(const Section& section, std::string_view key) {
  std::vector<std::pair<const toml::table*, std::string>> tables;
  const toml::node* const node = section.find(key);
  if (node == nullptr) return tables;
  if (!node->is_array()) section.refuse_key(key, "expected an array of tables");
  for (const toml::node& element : *node->as_array()) {
    const std::string name = fmt::format("{}[{}]", section.name_of(key), tables.size());
    if (!element.is_table()) refuse(element, name, "expected a table");
    tables.emplace_back(element.as_table(), name);
  }
  return tables;
}

// --- $name in texts ---

using Parameters = std::map<std::string, std::string>;

bool is_name(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

// `where` is named if a parameter is not known.
std::string filled_in(const std::string& text, const Parameters& parameters, const Section& section,
                      std::string_view key) {
  std::string filled;
  for (std::size_t at = 0; at < text.size();) {
    const bool placeholder = text[at] == '$' && at + 1 < text.size() && is_name(text[at + 1]);
    if (!placeholder) {
      filled += text[at++];
      continue;
    }
    std::size_t end = at + 1;
    while (end < text.size() && is_name(text[end])) ++end;
    const std::string name = text.substr(at + 1, end - at - 1);
    const auto found = parameters.find(name);
    if (found == parameters.end()) {
      section.refuse_key(key, fmt::format("nothing in for_each is called '{}'", name));
    }
    filled += found->second;
    at = end;
  }
  return filled;
}

// Reads the texts of one table with the parameters filled in.
struct Reader {
  const Section& section;
  const Parameters& parameters;

  std::string text(std::string_view key) const { return filled_in(section.text(key, ""), parameters, section, key); }
  std::vector<std::string> texts(std::string_view key) const {
    std::vector<std::string> values = section.texts(key);
    for (std::string& value : values) value = filled_in(value, parameters, section, key);
    return values;
  }
  std::string required(std::string_view key) const {
    std::string value = text(key);
    if (value.empty()) section.refuse_key(key, section.has(key) ? "must not be empty" : "missing");
    return value;
  }
};

std::vector<Parameters> read_for_each(const Section& section) {
  std::vector<Parameters> rows;
  for (const auto& [table, name] : tables_of(section, "for_each")) {
    Parameters parameters;
    for (const auto& [key, value] : *table) {
      const std::string key_text(key.str());
      if (!std::all_of(key_text.begin(), key_text.end(), is_name))
        refuse(value, name, fmt::format("'{}' is no name: lower-case letters and _", key_text));
      if (value.is_string()) {
        parameters[key_text] = value.as_string()->get();
      } else if (value.is_integer()) {
        parameters[key_text] = std::to_string(value.as_integer()->get());
      } else {
        refuse(value, name + "." + key_text, "expected a string or an integer");
      }
    }
    if (!rows.empty()) {
      const bool same = std::equal(rows[0].begin(), rows[0].end(), parameters.begin(), parameters.end(),
                                   [](const auto& a, const auto& b) { return a.first == b.first; });
      if (!same) refuse(*table, name, "has other names than the first");
    }
    rows.push_back(std::move(parameters));
  }
  if (rows.empty()) {
    if (section.has("for_each")) section.refuse_key("for_each", "must not be empty");
    rows.emplace_back();
  }
  return rows;
}

// --- steps ---

Expectation read_expectation(const Reader& reader) {
  Expectation expectation;
  const std::string tag = reader.text("tag");
  const std::string error = reader.text("error");
  const int given = (tag.empty() ? 0 : 1) + (error.empty() ? 0 : 1) + (reader.section.has("rows") ? 1 : 0);
  // A row of for_each may choose between them by leaving one empty; an error then has the last word over rows.
  if (given > 1 && (error.empty() || !tag.empty())) {
    reader.section.refuse_key("tag", "a step has one of tag, rows and error");
  }
  if (!error.empty()) {
    const bool valid = error.size() == 5 && std::all_of(error.begin(), error.end(), [](char c) {
                         return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                       });
    if (!valid) reader.section.refuse_key("error", fmt::format("'{}' is no SQLSTATE", error));
    expectation.kind = Expectation::Kind::error;
    expectation.text = error;
  } else if (!tag.empty()) {
    expectation.kind = Expectation::Kind::tag;
    expectation.text = tag;
  } else if (reader.section.has("rows")) {
    expectation.kind = Expectation::Kind::rows;
    expectation.rows = reader.texts("rows");
  }
  return expectation;
}

// `number` is the step's own, from 1, of `count`.
std::size_t read_until(const Reader& reader, std::size_t number, std::size_t count) {
  const Section& section = reader.section;
  const toml::node* const node = section.find("until");
  if (node == nullptr) return number;
  std::int64_t until = 0;
  if (node->is_integer()) {
    until = node->as_integer()->get();
  } else {
    const std::string text = reader.text("until");
    if (text == "no") return number;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), until);
    if (error != std::errc() || end != text.data() + text.size()) {
      section.refuse_key("until", fmt::format("expected the number of a step or \"no\", found '{}'", text));
    }
  }
  if (until <= static_cast<std::int64_t>(number) || until > static_cast<std::int64_t>(count)) {
    section.refuse_key("until", fmt::format("this is step {} of {}: it can wait until a later one only, found {}",
                                            number, count, until));
  }
  return static_cast<std::size_t>(until);
}

void refuse_keys(const Section& section, std::initializer_list<const char*> keys, const char* problem) {
  for (const char* key : keys) {
    if (section.has(key)) section.refuse_key(key, problem);
  }
}

Step read_step(const Section& section, const Parameters& parameters, const Case& owner, std::size_t number,
               std::size_t count) {
  const Reader reader{section, parameters};
  Step step;
  step.line = line_of(section.table());
  step.until = number;
  if (section.has("pause_ms")) {
    refuse_keys(section, {"session", "sql", "tag", "rows", "error", "until", "disconnect"}, "a pause has no such key");
    step.kind = Step::Kind::pause;
    step.pause = sim::Duration(section.integer("pause_ms", 0, 1, 60'000) * 1'000'000);
    return step;
  }
  const std::string session = reader.required("session");
  const auto found = std::find(owner.sessions.begin(), owner.sessions.end(), session);
  if (found == owner.sessions.end()) {
    section.refuse_key("session", fmt::format("expected one of {}, found '{}'", join_words(owner.sessions), session));
  }
  step.session = static_cast<std::size_t>(found - owner.sessions.begin());
  if (section.boolean("disconnect", false)) {
    refuse_keys(section, {"sql", "tag", "rows", "error", "until"}, "a session that disconnects asks nothing");
    step.kind = Step::Kind::disconnect;
    return step;
  }
  step.sql = reader.required("sql");
  step.expectation = read_expectation(reader);
  step.until = read_until(reader, number, count);
  return step;
}

void read_steps(const Section& section, const Parameters& parameters, Case& into) {
  const auto tables = tables_of(section, "steps");
  if (tables.empty()) section.refuse_key("steps", "missing");
  std::vector<std::size_t> busy_until(into.sessions.size(), 0);
  std::vector<bool> gone(into.sessions.size(), false);
  for (const auto& [table, name] : tables) {
    const std::size_t number = into.steps.size() + 1;
    const Section step_section(*table, name, step_keys);
    Step step = read_step(step_section, parameters, into, number, tables.size());
    if (step.kind != Step::Kind::pause) {
      if (busy_until[step.session] >= number) {
        step_section.refuse_key("session", fmt::format("{} waits until step {} has been issued",
                                                       into.sessions[step.session], busy_until[step.session]));
      }
      if (gone[step.session]) step_section.refuse_key("session", "has disconnected");
      if (step.until > number) busy_until[step.session] = step.until;
      gone[step.session] = step.kind == Step::Kind::disconnect;
    }
    into.steps.push_back(std::move(step));
  }
}

// --- cases ---

struct Defaults {
  std::string source;
  std::string setup;
  std::vector<std::string> sessions;
};

Case read_case(const Section& section, const Parameters& parameters, const Defaults& defaults) {
  const Reader reader{section, parameters};
  Case result;
  result.line = line_of(section.table());
  result.name = reader.required("name");
  result.description = reader.text("description");
  result.source = section.has("source") ? reader.text("source") : defaults.source;
  if (result.source.empty()) section.refuse_key("source", "missing, here and in the file");
  result.setup = defaults.setup;
  if (section.has("setup")) result.setup += (result.setup.empty() ? "" : ";\n") + reader.text("setup");
  result.sessions = section.has("sessions") ? reader.texts("sessions") : defaults.sessions;
  if (result.sessions.empty()) section.refuse_key("sessions", "missing, here and in the file");
  read_steps(section, parameters, result);
  for (const auto& [table, name] : tables_of(section, "final")) {
    const Section final_section(*table, name, final_keys);
    const Reader final_reader{final_section, parameters};
    FinalQuery query;
    query.line = line_of(*table);
    query.sql = final_reader.required("sql");
    if (!final_section.has("rows")) final_section.refuse_key("rows", "missing");
    query.rows = final_reader.texts("rows");
    result.final.push_back(std::move(query));
  }
  return result;
}

IsolationFile read_file_text(std::string_view text, std::string_view path) {
  IsolationFile file;
  file.path = path;
  const toml::table table = toml::parse(text, path);
  const Section root(table, "", file_keys);
  file.description = root.text("description", "");
  if (file.description.empty()) root.refuse_key("description", "missing");
  const Defaults defaults{root.text("source", ""), root.text("setup", ""), root.texts("sessions")};
  std::set<std::string> names;
  for (const auto& [case_table, name] : tables_of(root, "case")) {
    const Section section(*case_table, name, case_keys);
    for (const Parameters& parameters : read_for_each(section)) {
      Case result = read_case(section, parameters, defaults);
      if (!names.insert(result.name).second) {
        section.refuse_key("name", fmt::format("there is another '{}' in this file", result.name));
      }
      file.cases.push_back(std::move(result));
    }
  }
  if (file.cases.empty()) root.refuse_key("case", "missing");
  return file;
}

}  // namespace

bool Case::timed() const {
  return std::any_of(steps.begin(), steps.end(), [](const Step& step) { return step.kind == Step::Kind::pause; });
}

tl::expected<IsolationFile, InputError> parse_isolation_file(std::string_view text, std::string_view path) {
  try {
    return read_file_text(text, path);
  } catch (const SectionError& error) {
    return tl::unexpected(InputError{error.message});
  } catch (const toml::parse_error& error) {
    const toml::source_position& place = error.source().begin;
    return tl::unexpected(InputError{fmt::format("{}:{}:{}: {}", path, place.line, place.column, error.description())});
  }
}

tl::expected<IsolationFile, InputError> load_isolation_file(const std::string& path) {
  const auto text = read_file(path, largest_input_bytes);
  if (!text) return tl::unexpected(text.error());
  return parse_isolation_file(*text, path);
}

}  // namespace polarsim::scenarios::isolation
