#include "scenarios/cli/sql/stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <ostream>
#include <random>

#include "engine/types/quote.h"
#include "scenarios/cli/sql/places.h"
#include "scenarios/sql/cluster_connection.h"
#include "scenarios/sql/node_connection.h"

namespace polarsim::scenarios::cli::test {
namespace {

constexpr std::size_t statements_of_script = 50;
constexpr std::size_t choices_of_statement = 400;

bool only_reads(const std::string& statement) {
  if (statement.starts_with("EXPLAIN")) return true;
  const bool is_query = statement.starts_with("SELECT") || statement.starts_with("WITH") ||
                        statement.starts_with("VALUES") || statement.starts_with('(');
  // Common tables may change something.
  return is_query && statement.find("INSERT INTO ") == std::string::npos &&
         statement.find(" (UPDATE ") == std::string::npos && statement.find("DELETE FROM ") == std::string::npos;
}

// Whether a statement that failed may have taken numbers from sequences on one system only. A cluster computes the
// values of all rows before it inserts the first, and a refused statement is not run on PostgreSQL at all; a node's
// plans hold for all parameters, so that it computes with these when the rows come, not when it plans.
bool may_have_counted(Target target, const std::string& statement) {
  if (target == Target::node) return statement.starts_with("EXECUTE ");
  return !only_reads(statement) || statement.find("nextval(") != std::string::npos ||
         statement.find("setval(") != std::string::npos;
}

// Without what is quoted and without numbers.
std::string shape_of(const std::string& text) {
  std::string shape;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && std::isdigit(static_cast<unsigned char>(c)) == 0) shape += c;
  }
  return shape;
}

// What the relative refuses, too: features, joins on other columns, NULL in a distribution column.
bool is_refusal(const sql::Answer& answer) {
  if (!answer.error) return false;
  if (answer.error->sqlstate == "0A000") return true;
  static const std::vector<std::pair<const char*, const char*>> others{
      {"XX000", "the query contains a join that requires repartitioning"},
      {"XX000", "cannot execute ALTER TABLE command involving partition column"},
      {"XX000", "cannot execute ALTER COLUMN command involving identity column"},
      {"XX000", "because the column involves a default coming from a sequence"},
      {"XX000", "cascade_to_colocated parameter is necessary"},
      {"XX000", "this call doesn't change any properties of the table"},
      {"42704", "has no default operator class for specified partition method"},
      {"XX000", " is not distributed"},
      {"22004", "partition column"},
      {"XX000", "cannot colocate tables"},
      {"XX000", "Altering a distributed sequence"},
      {"XX000", "DEFAULT actions on the columns that default to sequences"},
      {"XX000", "cannot complete operation because table"},
      {"42P16", "must be a distributed table or a reference table"},
  };
  return std::ranges::any_of(others, [&](const auto& other) {
    return answer.error->sqlstate == other.first && answer.error->message.find(other.second) != std::string::npos;
  });
}

// With what COPY TO STDOUT wrote.
std::string with_lines(const sql::Answer& answer) {
  std::string text;
  if (answer.copied) text = fmt::format("{}\n", fmt::join(*answer.copied, "\n"));
  return text + sql::to_string(answer);
}

Difference describe(const std::string& differs, const std::string& statement, const sql::Answer& ours,
                    const sql::Answer& theirs) {
  Difference made;
  made.text = fmt::format("{} differ\n{};\n--- ours\n{}\n--- theirs\n{}\n", differs, statement, with_lines(ours),
                          with_lines(theirs));
  made.kind = differs + (ours.error ? " " + ours.error->sqlstate + shape_of(ours.error->message) : "") +
              (theirs.error ? " " + theirs.error->sqlstate + shape_of(theirs.error->message) : "");
  return made;
}

std::string with_counts(const std::map<std::string, std::size_t>& counts) {
  std::string text;
  for (const auto& [message, count] : counts) text += fmt::format("{:6} {}\n", count, message);
  return text;
}

}  // namespace

void showValue(const Script& script, std::ostream& stream) { stream << script.size() << " statements"; }

namespace {

// Where blocks of transactions begin and end, drawn from the last number of a statement.
enum class Block : std::uint8_t { none, begins, commits, rolls_back, undoes };

Block block_of(const Numbers& numbers) {
  if (numbers.size() < choices_of_statement) return Block::none;
  switch (numbers.back() % 12) {
    case 0:
      return Block::begins;
    case 1:
    case 2:
      return Block::commits;
    case 3:
      return Block::rolls_back;
    case 4:
      return Block::undoes;
    default:
      return Block::none;
  }
}

}  // namespace

namespace {

// Names are not used again, and what was prepared stays so.
void go_back(const GeneratedSchema& before, GeneratedSchema& schema) {
  const std::size_t made = schema.made;
  std::vector<PreparedStatement> prepared = std::move(schema.prepared);
  schema = before;
  schema.made = made;
  schema.prepared = std::move(prepared);
}

}  // namespace

Script make_script(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Script script(statements_of_script);
  for (Numbers& numbers : script) {
    numbers.resize(choices_of_statement);
    for (std::uint16_t& number : numbers) number = static_cast<std::uint16_t>(random());
  }
  return script;
}

Stage::Stage(Target target) : target_(target), known_(POLARSIM_SQL_DATA "/known_differences.tsv") {}

// An empty database, and a session that nobody has used.
void Stage::clear() {
  theirs_.reset();
  theirs_ = make_postgres_connection(server_.connection());
  // Nothing is to outlast the server, and no query is worth being compiled.
  for (const char* setting : {"client_min_messages = error", "synchronous_commit = off", "jit = off"})
    theirs_->run(std::string("set ") + setting);
  const sql::Answer schemas = theirs_->run("select nspname from pg_namespace where nspname ~ '^s[0-9]'");
  for (const sql::AnswerRow& row : schemas.rows) theirs_->run("drop schema " + row.front().value() + " cascade");
  theirs_->run("drop schema public cascade");
  theirs_->run("create schema public");
  ours_.reset();
  ours_ = target_ == Target::cluster ? sql::make_cluster_connection() : sql::make_node_connection();
}

void Stage::note(const std::string& text) {
  if (log_.is_open()) log_ << text << std::endl;
}

// Numbers that a failure took are given back to both.
void Stage::restart_numbers(const GeneratedSchema& schema) {
  std::vector<std::string> statements;
  for (const GeneratedTable& table : schema.tables) {
    for (const GeneratedColumn& column : table.columns) {
      if (!column.numbered) continue;
      const std::string sequence = fmt::format("pg_get_serial_sequence('{}', '{}')", table.name, column.name);
      statements.push_back(fmt::format("SELECT setval({}, {})", sequence, 20 * (statements_ - statements_before_)));
      // Also what currval() and lastval() tell.
      statements.push_back(fmt::format("SELECT nextval({})", sequence));
    }
  }
  for (const GeneratedSequence& sequence : schema.sequences) {
    // Not by RESTART, which going back to the savepoint would undo.
    statements.push_back(
        fmt::format("SELECT setval('{0}', (SELECT seqstart FROM pg_sequence WHERE seqrelid = '{0}'::regclass), false)",
                    sequence.name));
    statements.push_back(fmt::format("SELECT nextval('{}')", sequence.name));
  }
  for (const std::string& statement : statements) {
    // A failure must not end the block.
    for (sql::Connection* connection : {ours_.get(), static_cast<sql::Connection*>(theirs_.get())}) {
      if (before_block_) connection->run("SAVEPOINT numbers");
      connection->run(statement);
      if (before_block_) connection->run("ROLLBACK TO SAVEPOINT numbers");
    }
  }
}

Played Stage::play(const Script& script, bool stop_at_first) {
  clear();
  before_block_.reset();
  statements_before_ = statements_;
  GeneratedSchema schema;
  Played played;
  for (const Numbers& numbers : script) {
    const Block block = block_of(numbers);
    std::string text;  // of the statement, as soon as it is known
    try {
      if (block == Block::begins && !before_block_) {
        control("BEGIN", played);
        before_block_ = schema;
      }
      Choices choices(numbers);
      const GeneratedStatement statement = StatementGenerator(choices, schema, target_).statement();
      text = statement.text;
      if (before_block_) control("SAVEPOINT s", played);
      played.statements.push_back(text);
      if (statement.input) text += "; -- " + engine::quote_literal(*statement.input);
      note(text + ";");
      ++statements_;
      const GeneratedSchema before = schema;
      if (!step(statement, schema, played, stop_at_first)) return played;
      // What succeeded is undone sometimes, too.
      const bool undone = before_block_ && !failed_ && block == Block::undoes && !statement.cluster_only;
      if (undone) go_back(before, schema);
      if (before_block_) control(failed_ || undone ? "ROLLBACK TO SAVEPOINT s" : "RELEASE SAVEPOINT s", played);
      if (failed_ && may_have_counted(target_, statement.text)) restart_numbers(schema);
      if (before_block_ && (block == Block::commits || block == Block::rolls_back))
        end_block(block == Block::commits, schema, played);
    } catch (const sql::ConnectionError& error) {
      played.differences.push_back({text + ";\n" + error.what(), "connection"});
      return played;
    }
  }
  if (before_block_) end_block(true, schema, played);
  if (target_ == Target::cluster) {
    compare_tables(schema, played);
    if (std::string wrong = misplaced_rows(*ours_); !wrong.empty())
      played.differences.push_back({wrong, "places of rows"});
  }
  return played;
}

Stage::Answers Stage::run_on_both(const std::string& statement) {
  theirs_->send(statement);
  Answers answers;
  answers.ours = ours_->run(statement);
  answers.theirs = theirs_->receive();
  return answers;
}

sql::Answer Stage::run_on(sql::Connection& connection, const GeneratedStatement& statement) {
  return statement.input ? connection.copy_in(statement.text, *statement.input) : connection.run(statement.text);
}

void Stage::control(const std::string& statement, Played& played) {
  played.statements.push_back(statement);
  note(statement + ";");
  const auto [ours, theirs] = run_on_both(statement);
  compare({statement, {}, {}}, ours, theirs, played);
}

void Stage::end_block(bool commit, GeneratedSchema& schema, Played& played) {
  control(commit ? "COMMIT" : "ROLLBACK", played);
  if (!commit) go_back(*before_block_, schema);
  before_block_.reset();
}

bool Stage::step(const GeneratedStatement& statement, GeneratedSchema& schema, Played& played, bool stop_at_first) {
  // What a cluster may refuse is not done on PostgreSQL before that is known.
  const bool at_once = !statement.cluster_only && (target_ == Target::node || only_reads(statement.text));
  sql::Answer ours;
  sql::Answer theirs;
  if (at_once && !statement.input) {
    Answers answers = run_on_both(statement.text);
    ours = std::move(answers.ours);
    theirs = std::move(answers.theirs);
  } else {
    ours = run_on(*ours_, statement);
  }
  // A table that is placed anew gets its rows by INSERT, also those that broke a constraint when it came, NOT VALID.
  const bool breaks = statement.cluster_only && ours.error && ours.error->sqlstate.starts_with("23");
  const bool refused = target_ == Target::cluster && (breaks || is_refusal(ours));
  const auto after = [&](bool succeeded) {
    const auto& effect = succeeded ? statement.effect : statement.failure_effect;
    if (effect) effect(schema);
  };
  if (statement.cluster_only) {
    if (ours.error && !refused) {
      played.differences.push_back(describe("only errors", statement.text, ours, {}));
      if (stop_at_first) return false;
    }
    if (refused) {
      note_refusal(statement, ours);
    } else {
      ++of_clusters_alone_;
    }
    failed_ = ours.error.has_value();
    after(!failed_);
    return true;
  }
  if (refused && !only_reads(statement.text)) {
    note_refusal(statement, ours);
    failed_ = true;
    return true;
  }
  if (!at_once || statement.input) theirs = run_on(*theirs_, statement);
  failed_ = ours.error || theirs.error;
  if (theirs.error) ++errors_[theirs.error->sqlstate + " " + shape_of(theirs.error->message)];
  if (refused && !(theirs.error && theirs.error->sqlstate == ours.error->sqlstate)) {
    note_refusal(statement, ours);
    return true;
  }
  const std::size_t before = played.differences.size();
  const bool same = compare(statement, ours, theirs, played);
  const bool of_another_row = theirs.error && ours.error && theirs.error->sqlstate != ours.error->sqlstate;
  if (same) ++(!theirs.error ? executed_ : of_another_row ? of_another_row_ : failed_alike_);
  if (!same && (!only_reads(statement.text) || (stop_at_first && played.differences.size() > before))) return false;
  if (!theirs.error) after(true);
  return true;
}

void Stage::note_refusal(const GeneratedStatement& statement, const sql::Answer& ours) {
  const std::string kind = ours.error->sqlstate + " " + shape_of(ours.error->message);
  ++refusals_[kind];
  refused_examples_.emplace(kind, statement.text);
}

bool Stage::compare(const GeneratedStatement& statement, const sql::Answer& ours, const sql::Answer& theirs,
                    Played& played) {
  // Plans are our own.
  if (statement.text.starts_with("EXPLAIN") && !ours.error && !theirs.error) return true;
  const std::string differs = target_ == Target::cluster
                                  ? difference_of_cluster(statement.text, ours, theirs, statement.ordered_by)
                                  : difference_between(ours, theirs, statement.ordered_by);
  if (differs.empty()) return true;
  if (known_.find(statement.text, ours, theirs) != nullptr) {
    ++known_differences_;
  } else {
    played.differences.push_back(describe(differs, statement.text, ours, theirs));
  }
  return false;
}

void Stage::compare_tables(const GeneratedSchema& schema, Played& played) {
  control("SET search_path TO public", played);
  for (const GeneratedTable& table : schema.tables) {
    if (table.is_view) continue;
    GeneratedStatement statement{"SELECT * FROM " + table.name, {}, {}};
    played.statements.push_back(statement.text);
    const auto [ours, theirs] = run_on_both(statement.text);
    compare(statement, ours, theirs, played);
  }
}

std::string Stage::summary() const {
  std::string text =
      fmt::format("{} statements: {} executed with the same answer, {} with the same error, {} known differences",
                  statements_, executed_, failed_alike_, known_differences_);
  if (target_ == Target::cluster) {
    std::size_t refused = 0;
    for (const auto& [message, times] : refusals_) refused += times;
    text += fmt::format(
        ", {} with the error of another row, {} calls of functions of clusters, {} refused by the cluster alone:",
        of_another_row_, of_clusters_alone_, refused);
    for (const auto& [message, count] : refusals_) text += fmt::format("\n{:6} {}", count, message);
  }
  return text;
}

std::string Stage::errors() const {
  std::string text = with_counts(errors_);
  for (const auto& [kind, example] : refused_examples_) text += fmt::format("refused: {}\n  {}\n", kind, example);
  return text;
}

}  // namespace polarsim::scenarios::cli::test
