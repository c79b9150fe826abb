#include "scenarios/sql/statement_file.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

namespace polarsim::scenarios::sql {
namespace {

constexpr std::size_t include_depth_max = 20;
constexpr std::size_t loop_rounds_max = 100'000;
constexpr std::string_view known_types = "IRBTDJAUX?";

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

class Parser {
 public:
  Parser(StatementFile& file, std::size_t depth) : file_(file), depth_(depth) {}

  void run() { records_until(false); }

 private:
  struct Variable {
    std::string name;
    std::string value;
  };

  [[noreturn]] void fail(std::size_t line, const std::string& problem) const {
    throw StatementFileError(file_.path, line, problem);
  }

  bool at_end() const { return at_ >= file_.lines.size(); }
  std::size_t line_number() const { return at_ + 1; }

  // ${name} is what the loops around say.
  std::string substituted(const std::string& line) const {
    std::string text = line;
    for (const Variable& variable : variables_) {
      const std::string pattern = "${" + variable.name + "}";
      for (std::size_t at = text.find(pattern); at != std::string::npos;
           at = text.find(pattern, at + variable.value.size()))
        text.replace(at, pattern.size(), variable.value);
    }
    return text;
  }

  // `in_loop`: until endloop, which is left for the caller. Returns whether `halt` was met.
  bool records_until(bool in_loop) {
    for (; !at_end(); ++at_) {
      const std::string line = substituted(file_.lines[at_]);
      if (is_blank(line) || line.starts_with('#')) continue;
      const std::vector<std::string> words = words_of(line);
      if (words[0] == "endloop") {
        if (!in_loop) fail(line_number(), "endloop without loop");
        return false;
      }
      if (words[0] == "halt") return true;
      if (directive(words)) continue;
      if (words[0] == "loop") {
        if (loop(words)) return true;
        continue;
      }
      if (words[0] == "statement") {
        statement(words);
      } else if (words[0] == "query") {
        query(words);
      } else {
        fail(line_number(),
             "expected statement, query, skipif, onlyif, differs, waits, ends, require, coordinators, all, node, "
             "hash-threshold, "
             "include, "
             "loop, endloop or halt, not \"" +
                 words[0] + "\"");
      }
      --at_;  // they have gone past their last line
    }
    if (in_loop) fail(loop_line_, "expected endloop before the end of the file");
    if (!conditions_.empty() || !difference_.empty())
      fail(file_.lines.size(), "expected a record after skipif, onlyif or differs");
    return false;
  }

  // What takes one line.
  bool directive(const std::vector<std::string>& words) {
    if (words[0] == "skipif" || words[0] == "onlyif") {
      if (words.size() < 2) fail(line_number(), "expected the name of a system after " + words[0]);
      conditions_.push_back({words[0] == "onlyif", words[1]});
      return true;
    }
    if (words[0] == "hash-threshold") {
      hash_threshold_ = number(words, 1, "expected a number after hash-threshold");
      return true;
    }
    if (words[0] == "require") {
      if (words.size() != 2) fail(line_number(), "expected the name of a system after require");
      file_.required = words[1];
      return true;
    }
    if (words[0] == "differs") {
      if (words.size() != 2) fail(line_number(), "expected the name of a difference after differs");
      difference_ = words[1];
      return true;
    }
    if (words[0] == "waits" || words[0] == "ends") {
      turn_ = words[0] == "waits" ? Record::Turn::waits : Record::Turn::ends;
      return true;
    }
    if (words[0] == "coordinators") {
      file_.coordinators = number(words, 1, "expected a number after coordinators");
      return true;
    }
    if (words[0] == "all") {
      all_ = true;
      return true;
    }
    if (words[0] == "node") {
      if (words.size() != 2) fail(line_number(), "expected the name of a node after node");
      node_ = words[1];
      return true;
    }
    if (words[0] == "include") {
      if (words.size() != 2) fail(line_number(), "expected a path after include");
      include(words[1]);
      return true;
    }
    return false;
  }

  std::size_t number(const std::vector<std::string>& words, std::size_t index, const std::string& problem) const {
    if (index >= words.size()) fail(line_number(), problem);
    const std::string& text = words[index];
    std::size_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size()) fail(line_number(), problem);
    return value;
  }

  void include(const std::string& path) {
    if (depth_ == include_depth_max) fail(line_number(), "files include one another too deeply");
    const std::string whole = (std::filesystem::path(file_.path).parent_path() / path).string();
    std::ifstream stream(whole);
    if (!stream) fail(line_number(), "cannot read the included file " + whole);
    StatementFile other;
    other.path = whole;
    for (std::string line; std::getline(stream, line);) other.lines.push_back(line);
    Parser(other, depth_ + 1).run();
    for (Record& record : other.records) {
      record.is_recorded = false;
      file_.records.push_back(std::move(record));
    }
  }

  bool loop(const std::vector<std::string>& words) {
    const std::string problem = "expected loop NAME FIRST LAST";
    if (words.size() != 4) fail(line_number(), problem);
    const std::size_t first = number(words, 2, problem);
    const std::size_t last = number(words, 3, problem);
    if (last < first || last - first >= loop_rounds_max)
      fail(line_number(), "expected FIRST not after LAST, and fewer rounds");
    const std::size_t before = loop_line_;
    loop_line_ = line_number();
    const std::size_t begin = at_ + 1;
    variables_.push_back({words[1], ""});
    for (std::size_t value = first; value <= last; ++value) {
      variables_.back().value = std::to_string(value);
      at_ = begin;
      if (records_until(true)) return true;
      repeated_ = true;
    }
    variables_.pop_back();
    repeated_ = !variables_.empty() && repeated_;
    loop_line_ = before;
    return false;
  }

  Record start(Record::Kind kind) {
    Record record;
    record.kind = kind;
    record.path = file_.path;
    record.line = line_number();
    record.conditions = std::exchange(conditions_, {});
    record.difference = std::exchange(difference_, {});
    record.node = node_;
    record.all = all_;
    record.turn = std::exchange(turn_, Record::Turn::whole);
    record.hash_threshold = hash_threshold_;
    record.is_recorded = !repeated_;
    return record;
  }

  // Reads SQL and what is expected; afterwards at the first line after the record.
  void body(Record& record) {
    ++at_;
    bool separated = false;
    while (!at_end() && !is_blank(file_.lines[at_])) {
      const std::string line = substituted(file_.lines[at_]);
      ++at_;
      if (line == "----") {
        separated = true;
        break;
      }
      if (line == "<<<<" && !record.input) {
        record.input.emplace();
        continue;
      }
      if (record.input) {
        *record.input += line + "\n";
        record.sql_end = at_;
        continue;
      }
      record.sql += (record.sql.empty() ? "" : "\n") + line;
      record.sql_end = at_;
    }
    if (record.sql.empty()) fail(record.line, "expected SQL after this line");
    record.expected_end = record.sql_end;
    if (!separated) {
      if (!record.difference.empty()) fail(record.line, "expected two answers of what differs");
      return;
    }
    std::vector<std::string>* to = &record.expected.emplace();
    for (; !at_end() && !file_.lines[at_].empty(); ++at_) {
      const std::string line = substituted(file_.lines[at_]);
      if (line == "----" && !record.difference.empty() && to != &record.otherwise) {
        to = &record.otherwise;
      } else {
        to->push_back(line);
      }
    }
    record.expected_end = at_;
  }

  void statement(const std::vector<std::string>& words) {
    Record record = start(Record::Kind::statement);
    const std::string what = words.size() < 2 ? "" : words[1];
    if (what == "count") {
      record.outcome = Record::Outcome::count;
      record.count = number(words, 2, "expected a number after statement count");
    } else if (what == "error") {
      record.outcome = Record::Outcome::error;
      if (words.size() > 2) record.sqlstate = words[2];
      if (words.size() > 3 || (!record.sqlstate.empty() && record.sqlstate.size() != 5))
        fail(record.line, "expected a SQLSTATE of five characters, or nothing, after statement error");
    } else if (what != "ok" || words.size() > 2) {
      fail(record.line, "expected statement ok, statement count N or statement error");
    }
    body(record);
    if (record.expected && record.outcome != Record::Outcome::error) {
      for (const std::string& line : *record.expected) {
        if (!is_notice(line))
          fail(record.sql_end + 1, "expected only notices after the ---- of a statement that succeeds");
      }
    }
    file_.records.push_back(std::move(record));
  }

  void query(const std::vector<std::string>& words) {
    Record record = start(Record::Kind::query);
    if (words.size() < 2) fail(record.line, "expected the types of the columns after query");
    record.types = words[1];
    for (const char type : record.types) {
      if (known_types.find(type) == std::string_view::npos)
        fail(record.line, "expected types of " + std::string(known_types) + ", not " + record.types);
    }
    if (words.size() > 2) options(record, words[2]);
    if (words.size() > 3) record.label = words[3];
    if (words.size() > 4) fail(record.line, "expected query TYPES OPTIONS LABEL and nothing more");
    body(record);
    if (!record.expected) fail(record.line, "expected ---- and rows after the query");
    file_.records.push_back(std::move(record));
  }

  void options(Record& record, const std::string& text) const {
    std::istringstream stream(text);
    for (std::string option; std::getline(stream, option, ',');) {
      if (option == "rowsort") {
        record.sort = Record::Sort::rows;
      } else if (option == "valuesort") {
        record.sort = Record::Sort::values;
      } else if (option == "colnames") {
        record.column_names = true;
      } else if (option != "nosort") {
        fail(record.line, "expected nosort, rowsort, valuesort or colnames, not \"" + option + "\"");
      }
    }
  }

  StatementFile& file_;
  std::size_t depth_;
  std::size_t at_ = 0;  // in lines, from 0
  std::vector<Condition> conditions_;
  std::string difference_;
  bool all_ = false;
  Record::Turn turn_ = Record::Turn::whole;
  std::string node_;
  std::vector<Variable> variables_;  // of the loops around
  std::size_t loop_line_ = 0;
  bool repeated_ = false;  // in a later round of a loop
  std::size_t hash_threshold_ = 0;
};

std::vector<std::string> lines_of(std::istream& stream) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

StatementFile parsed(const std::string& path, std::vector<std::string> lines) {
  StatementFile file;
  file.path = path;
  file.lines = std::move(lines);
  Parser(file, 0).run();
  return file;
}

}  // namespace

bool is_notice(const std::string& line) {
  static constexpr std::string_view severities[] = {"NOTICE: ", "WARNING: ", "INFO: ", "DEBUG: ", "LOG: "};
  return std::ranges::any_of(severities, [&](std::string_view severity) { return line.starts_with(severity); });
}

StatementFile load_statement_file(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) throw StatementFileError(path, 1, "cannot be read");
  return parsed(path, lines_of(stream));
}

StatementFile parse_statement_file(const std::string& path, const std::string& text) {
  std::istringstream stream(text);
  return parsed(path, lines_of(stream));
}

}  // namespace polarsim::scenarios::sql
