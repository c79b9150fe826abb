// Cuts lines into statements, backslash commands and their arguments, as psql does.
//
// Lines are given one by one. What a line leaves open (a quote, a comment, a parenthesis) goes on in the next. A
// statement ends at a semicolon outside of quotes, comments, parentheses and of BEGIN ... END in a CREATE FUNCTION.
// Variables are put in place of :name, :'name' and :"name", outside of quotes only; what :name stands for is scanned as
// if it had been typed. Comments that begin with "--" are kept within a statement and dropped before it.
//
// Sources: the documentation of psql; PostgreSQL 15 fe_utils/psqlscan.l and bin/psql/psqlscanslash.l. As there, a
// literal does not go on in the literal of the next line; it is a new one, with the same effect on where statements
// end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::scenarios::cli::prompt {

// What is open at the end of a line; decides the prompt of the next.
enum class OpenPart : std::uint8_t {
  nothing,    // no statement has begun
  statement,  // begun, not ended
  comment,
  single_quote,
  double_quote,
  dollar_quote,
  parenthesis,
};

enum class ScanStop : std::uint8_t {
  semicolon,    // the statement is complete
  backslash,    // a command follows: command_name(), argument()..., end_command()
  incomplete,   // end of the line, inside of something
  end_of_line,  // end of the line
};

enum class QuotedAs : std::uint8_t { plain, literal, identifier };

enum class ArgumentKind : std::uint8_t {
  normal,        // quotes taken off single-quoted parts, double quotes kept
  identifier,    // an SQL identifier: folded to lower case, double quotes taken off
  file_or_pipe,  // like normal; what begins with '|' takes the whole line as it is
  whole_line,
};

struct ScannerServices {
  // The value of a variable, quoted as asked for; nothing if it is not set (then the text stays as it is).
  std::function<std::optional<std::string>(const std::string& name, QuotedAs quoted)> variable;
  // The output of a command of the shell: `date`.
  std::function<std::string(const std::string& command)> command_output;
  std::function<void(const std::string& message)> warn;
  std::function<void(const std::string& message)> error;
};

class StatementScanner {
 public:
  explicit StatementScanner(ScannerServices services) : services_(std::move(services)) {}

  // The end of the line before must have been reached.
  void set_line(std::string line);
  // Off: backslashes in '...' escape (the server's standard_conforming_strings).
  void set_standard_strings(bool on) { standard_strings_ = on; }
  // Appends to `statement` up to the next stop.
  ScanStop scan(std::string& statement);
  OpenPart open_part() const { return open_part_; }
  // Forgets what is open and the rest of the line.
  void drop_line();
  // Forgets what is open: a statement was sent though it had not ended.
  void reset();
  // Whether the end of the line lies in a quote or comment.
  bool in_quote() const { return state_ != State::initial; }
  int parentheses() const { return parentheses_; }
  void set_parentheses(int count) { parentheses_ = count; }

  // --- after ScanStop::backslash ---
  std::string command_name();
  // None if there is no other. `strip_semicolons`: those at the end that are not quoted do not count. `quote`, if
  // given, receives the kind of quote that the argument had last, or 0.
  std::optional<std::string> argument(ArgumentKind kind, bool strip_semicolons = false, char* quote = nullptr);
  // Takes "\\", which ends a command before the end of its line.
  void end_command();
  // What is left of the line.
  std::string rest_of_line() const;

 private:
  enum class State : std::uint8_t { initial, comment, quote, escape_quote, identifier, dollar };
  struct Piece {
    std::string text;
    std::size_t at = 0;
    std::string variable;  // that this is the value of; empty for the line itself
  };

  Piece& top() { return pieces_.back(); }
  // False at the end of the line. Leaves the values of variables behind.
  bool more();
  std::string_view rest() const { return std::string_view(pieces_.back().text).substr(pieces_.back().at); }
  void take(std::size_t count, std::string& into);
  void skip(std::size_t count) { pieces_.back().at += count; }

  std::optional<ScanStop> scan_initial(std::string& statement);
  void scan_word(std::string& statement);
  void scan_number(std::string& statement);
  void scan_dollar(std::string& statement);
  void scan_colon(std::string& statement);
  void scan_comment(std::string& statement);
  void scan_quoted(char quote, bool escapes, std::string& statement);
  void scan_dollar_quoted(std::string& statement);
  // Whether a literal goes on after what has just ended: bytes up to and with the next quote, or 0.
  std::size_t continuation() const;
  void note_word(std::string_view word);
  ScanStop at_end(const std::string& statement);
  bool is_being_expanded(const std::string& name) const;
  // A reference to a variable at the beginning of `text`.
  struct Reference {
    std::size_t bytes = 0;
    std::string name;
    QuotedAs quoted = QuotedAs::plain;
    bool test = false;  // :{?name}
  };
  static std::optional<Reference> reference_at(std::string_view text);

  std::string whole_line();
  // False if the argument's quote is not closed.
  bool read_argument(std::string& argument, char& quote, std::size_t& unquoted);
  bool read_single_quoted(std::string& argument);
  void read_escape(std::string& argument);
  bool read_backquoted(std::string& argument);
  bool read_double_quoted(std::string& argument);
  void read_reference(std::string& argument, const Reference& reference, char& quote);

  ScannerServices services_;
  std::vector<Piece> pieces_;
  bool standard_strings_ = true;
  State state_ = State::initial;
  OpenPart open_part_ = OpenPart::nothing;
  int comment_depth_ = 0;
  std::string dollar_tag_;
  int parentheses_ = 0;
  int begin_depth_ = 0;
  int words_ = 0;
  std::string first_words_;  // the first letters of the first four, if they are those of CREATE OR REPLACE FUNCTION
};

// Takes the double quotes off an identifier and folds what is outside of them.
std::string dequoted_identifier(std::string_view text);
bool is_variable_character(char c);

}  // namespace polarsim::scenarios::cli::prompt
