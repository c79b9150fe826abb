#include "scenarios/sql/play.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "engine/types/function.h"
#include "engine/types/text_form.h"

namespace polarsim::scenarios::sql {
namespace {

using Lines = std::vector<std::string>;

bool is_skipped(const Record& record, const Connection& connection) {
  const std::string name = connection.name();
  // A cluster of ours is one of our systems, too.
  const auto is = [&](const std::string& system) {
    return system == name || (system == "polarsim" && name == "cluster");
  };
  return std::ranges::any_of(record.conditions,
                             [&](const Condition& condition) { return condition.only != is(condition.system); });
}

char type_letter(std::uint32_t oid) {
  using engine::TypeCategory;
  using engine::TypeId;
  const TypeId type = engine::type_from_oid(oid);
  switch (type) {
    case TypeId::int2:
    case TypeId::int4:
    case TypeId::int8:
    case TypeId::oid:
      return 'I';
    case TypeId::numeric:
    case TypeId::float4:
    case TypeId::float8:
      return 'R';
    case TypeId::json:
    case TypeId::jsonb:
      return 'J';
    case TypeId::uuid:
      return 'U';
    case TypeId::bytea:
      return 'X';
    default:
      break;
  }
  switch (engine::type_info(type).category) {
    case TypeCategory::boolean:
      return 'B';
    case TypeCategory::datetime:
    case TypeCategory::timespan:
      return 'D';
    case TypeCategory::array:
      return 'A';
    default:
      return 'T';
  }
}

std::string types_of(const Answer& answer) {
  std::string types;
  for (const AnswerColumn& column : answer.columns) types += type_letter(column.type_oid);
  return types.empty() ? "?" : types;
}

bool types_fit(const std::string& expected, const Answer& answer) {
  if (answer.columns.empty()) return expected == "?";
  const std::string types = types_of(answer);
  return std::equal(expected.begin(), expected.end(), types.begin(), types.end(),
                    [](char wanted, char type) { return wanted == '?' || wanted == type; });
}

// What a line can hold.
std::string on_one_line(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else {
      result += c;
    }
  }
  return result;
}

std::string shown(const std::optional<std::string>& value) {
  if (!value) return "NULL";
  return value->empty() ? "(empty)" : on_one_line(*value);
}

std::string md5_of(const std::string& text) {
  const engine::TypeId argument = engine::TypeId::text;
  const engine::FunctionEntry* const md5 = engine::find_function("md5", {&argument, 1});
  const engine::Value value = engine::Value::text(text);
  const engine::CallContext context;
  return engine::output_value(md5->scalar({{&value, 1}, {}, engine::TypeId::text, context}), engine::TypeId::text,
                              context);
}

Lines result_lines(const Record& record, const Answer& answer) {
  if (answer.copied) return *answer.copied;
  std::vector<Lines> rows;
  for (const AnswerRow& row : answer.rows) {
    Lines& values = rows.emplace_back();
    for (const auto& value : row) values.push_back(shown(value));
  }
  Lines values;
  if (record.sort == Record::Sort::rows) std::ranges::sort(rows);
  for (const Lines& row : rows) values.insert(values.end(), row.begin(), row.end());
  Lines lines;
  if (record.column_names) {
    std::string names;
    for (const AnswerColumn& column : answer.columns) names += (names.empty() ? "" : "\t") + on_one_line(column.name);
    lines.push_back(names);
  }
  if (record.sort == Record::Sort::values) {
    std::ranges::sort(values);
    rows.clear();
    for (const std::string& value : values) rows.push_back({value});
  }
  if (record.hash_threshold != 0 && values.size() > record.hash_threshold) {
    std::string all;
    for (const std::string& value : values) all += value + "\n";
    lines.push_back(std::to_string(values.size()) + " values hashing to " + md5_of(all));
    return lines;
  }
  for (const Lines& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += (i == 0 ? "" : "\t") + row[i];
    // A row without columns.
    lines.push_back(line.empty() ? "()" : line);
  }
  return lines;
}

Lines error_lines(const Record& record, const Answer& answer) {
  const AnswerError& error = *answer.error;
  Lines lines{on_one_line(error.message)};
  if (!error.detail.empty()) lines.push_back("DETAIL: " + on_one_line(error.detail));
  if (!error.hint.empty()) lines.push_back("HINT: " + on_one_line(error.hint));
  if (error.position != 0) lines.push_back("POSITION: " + std::to_string(error.position));
  if (record.all && !answer.context.empty()) lines.push_back("CONTEXT: " + on_one_line(answer.context));
  return lines;
}

// What is told beside the result, as far as the record asks for it: each on a line.
Lines lines_beside(const Record& record, const Answer& answer) {
  Lines lines;
  if (!record.all) return lines;
  for (const std::string& notice : answer.notices) lines.push_back(on_one_line(notice));
  return lines;
}

// All of an answer.
Lines whole_answer(const Record& record, const Answer& answer) {
  Lines lines = lines_beside(record, answer);
  Lines rest;
  if (answer.error) {
    rest = error_lines(record, answer);
    rest.insert(rest.begin(), "ERROR " + answer.error->sqlstate);
  } else if (answer.has_rows || answer.copied) {
    rest = result_lines(record, answer);
  } else {
    rest.push_back(answer.tag);
  }
  lines.insert(lines.end(), rest.begin(), rest.end());
  return lines;
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// Of the tag: "UPDATE 3", "INSERT 0 3".
std::optional<std::size_t> count_of(const Answer& answer) {
  const std::size_t at = answer.tag.find_last_of(' ');
  if (at == std::string::npos || answer.tag.find_first_not_of("0123456789", at + 1) != std::string::npos)
    return std::nullopt;
  return std::stoul(answer.tag.substr(at + 1));
}

Answer answer_to(const Record& record, Connection& connection) {
  if (record.turn == Record::Turn::ends) return connection.finish();
  return record.input ? connection.copy_in(record.sql, *record.input) : connection.run(record.sql);
}

class Player {
 public:
  explicit Player(Connection& connection) : connection_(connection) {}

  void play(const Record& record, Played& played) {
    if (is_skipped(record, connection_)) {
      ++played.skipped;
      return;
    }
    ++played.records;
    connection_.go_to(record.node);
    Failure failure{record.path, record.line, record.sql, "", ""};
    if (record.turn == Record::Turn::waits) {
      if (!connection_.start(record.sql)) {
        failure.expected = "it waits\n";
        failure.got = to_string(connection_.finish()) + "\n";
        played.failures.push_back(std::move(failure));
      }
      return;
    }
    const Answer answer = answer_to(record, connection_);
    compare(record, answer, failure);
    if (!record.difference.empty()) compare_difference(record, answer, failure);
    if (failure.expected != failure.got) played.failures.push_back(std::move(failure));
  }

 private:
  // After the comparison with the other system.
  static void compare_difference(const Record& record, const Answer& answer, Failure& failure) {
    if (failure.expected == failure.got) {
      failure.expected = "an answer that differs: " + record.difference + "\n";
      return;
    }
    failure.expected = joined(record.otherwise);
    failure.got = joined(whole_answer(record, answer));
  }

  // Says in the failure what was expected and what came; the same if all is well.
  void compare(const Record& record, const Answer& answer, Failure& failure) {
    if (record.kind == Record::Kind::query) return compare_query(record, answer, failure);
    if (record.outcome == Record::Outcome::error) {
      if (!answer.error) {
        failure.expected = "an error\n";
        failure.got = to_string(answer) + "\n";
        return;
      }
      const std::string state = "ERROR " + answer.error->sqlstate + "\n";
      failure.expected = (record.sqlstate.empty() ? state : "ERROR " + record.sqlstate + "\n");
      const std::string got = joined(error_lines(record, answer));
      failure.got = state + got;
      failure.expected += record.expected ? joined(*record.expected) : got;
      return;
    }
    if (answer.error) {
      failure.expected = "success\n";
      failure.got = to_string(*answer.error) + "\n";
      return;
    }
    if (record.all || record.expected) {
      failure.expected = joined(record.expected.value_or(Lines{}));
      failure.got = joined(lines_beside(record, answer));
      if (failure.expected != failure.got) return;
    }
    if (record.outcome != Record::Outcome::count) return;
    failure.expected = std::to_string(record.count) + " rows\n";
    const auto count = count_of(answer);
    failure.got = count ? std::to_string(*count) + " rows\n" : answer.tag + "\n";
  }

  void compare_query(const Record& record, const Answer& answer, Failure& failure) {
    failure.expected = joined(*record.expected);
    if (answer.error) {
      failure.expected = "rows\n" + failure.expected;
      failure.got = to_string(*answer.error) + "\n";
      return;
    }
    failure.got = joined(lines_beside(record, answer)) + joined(result_lines(record, answer));
    if (!types_fit(record.types, answer)) {
      failure.expected = "types " + record.types + "\n" + failure.expected;
      failure.got = "types " + types_of(answer) + "\n" + failure.got;
      return;
    }
    if (record.label.empty()) return;
    const auto [known, is_new] = labels_.emplace(record.label, failure.got);
    if (is_new || known->second == failure.got) return;
    failure.expected = "the rows of the other query with the label " + record.label + "\n" + known->second;
  }

  Connection& connection_;
  std::map<std::string, std::string> labels_;
};

// The first line of a record as it would have to be for this answer.
std::string head_of(const Record& record, const std::string& head, const Answer& answer) {
  if (record.kind == Record::Kind::query && answer.error) return "statement error " + answer.error->sqlstate;
  if (record.kind == Record::Kind::query) {
    const std::size_t begin = head.find_first_not_of(" \t", head.find_first_of(" \t"));
    const std::size_t end = std::min(head.find_first_of(" \t", begin), head.size());
    const bool fits = record.types != "?" && types_fit(record.types, answer);
    return fits ? head : head.substr(0, begin) + types_of(answer) + head.substr(end);
  }
  if (answer.error) return "statement error " + answer.error->sqlstate;
  if (record.outcome == Record::Outcome::error) return "statement ok";
  const auto count = count_of(answer);
  return record.outcome == Record::Outcome::count && count ? "statement count " + std::to_string(*count) : head;
}

}  // namespace

std::string to_string(const Failure& failure) {
  return failure.path + ":" + std::to_string(failure.line) + ":\n" + failure.sql + "\n--- expected\n" +
         failure.expected + "--- got\n" + failure.got;
}

Played play(const StatementFile& file, Connection& connection) {
  Played played;
  Player player(connection);
  if (!file.required.empty() && file.required != connection.name()) {
    played.skipped = file.records.size();
    return played;
  }
  for (const Record& record : file.records) player.play(record, played);
  return played;
}

std::string record(const StatementFile& file, Connection& connection) {
  Lines lines = file.lines;
  const bool is_for_another = !file.required.empty() && file.required != connection.name();
  std::vector<bool> gone(lines.size(), false);
  std::vector<std::string> after(lines.size());  // what follows a line
  for (const Record& each : file.records) {
    if (is_for_another || is_skipped(each, connection)) continue;
    connection.go_to(each.node);
    if (each.turn == Record::Turn::waits) {
      connection.start(each.sql);
      continue;
    }
    const Answer answer = answer_to(each, connection);
    if (!each.is_recorded) continue;
    if (!each.difference.empty()) {
      for (std::size_t line = each.sql_end; line < each.expected_end; ++line) gone[line] = true;
      after[each.sql_end - 1] = "----\n" + joined(*each.expected) + "----\n" + joined(whole_answer(each, answer));
      continue;
    }
    std::string& head = lines[each.line - 1];
    head = head_of(each, head, answer);
    for (std::size_t line = each.sql_end; line < each.expected_end; ++line) gone[line] = true;
    std::string& text = after[each.sql_end - 1];
    const bool any_text =
        each.kind == Record::Kind::statement && each.outcome == Record::Outcome::error && !each.expected;
    const Lines beside = answer.error ? Lines{} : lines_beside(each, answer);
    if (answer.error && !any_text) text = "----\n" + joined(error_lines(each, answer));
    if (!answer.error && (each.kind == Record::Kind::query || !beside.empty()))
      text = "----\n" + joined(beside) + (each.kind == Record::Kind::query ? joined(result_lines(each, answer)) : "");
  }
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (gone[i]) continue;
    text += lines[i] + "\n" + after[i];
  }
  return text;
}

}  // namespace polarsim::scenarios::sql
