// A cursor over EDN (and JSON, which is close enough to share it): skips blanks, recognises atoms, and measures whole
// forms without building them. It never recurses, so no input can exhaust the stack.
//
// Understood: maps, vectors, lists, sets, keywords, symbols, integers, floats, ratios, strings, characters, tagged
// literals (kept as they stand), `;` comments, `#_` discards, commas as blanks; of JSON: `:` after a key, true, false,
// null. Not checked: that a symbol is one EDN would allow in every character, that map keys differ in forms kept as
// text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace polarsim::checkers {

class EdnScanner {
 public:
  // How deep forms may nest.
  static constexpr std::size_t depth_limit = 256;

  explicit EdnScanner(std::string_view text) : text_(text) {}

  std::size_t position() const { return position_; }
  void set_position(std::size_t position) { position_ = position; }
  std::string_view text() const { return text_; }
  std::string_view since(std::size_t start) const { return text_.substr(start, position_ - start); }

  // Skips blanks, commas, comments and discarded forms. False after an error within a discarded form.
  bool skip_blanks();
  bool at_end() const { return position_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  bool take(char expected);

  // Skips one whole form, whatever it is. False with error() set if there is none or it is malformed.
  bool skip_form();
  // The atom here (symbol, keyword or number), empty if there is none.
  std::string_view take_atom();
  // Takes an integer; false, and nothing taken, if the form here is not an integer that fits.
  bool take_integer(std::int64_t& value);
  // Skips a string literal from its opening quote.
  bool skip_string();

  // What went wrong first, and where (an offset into the text).
  bool failed() const { return !error_.empty(); }
  const std::string& error() const { return error_; }
  std::size_t error_position() const { return error_position_; }
  bool fail(std::size_t where, std::string message);
  // Goes on in another text, with a clean slate.
  void restart(std::string_view text, std::size_t position) {
    text_ = text;
    position_ = position;
    error_.clear();
  }
  // "end of input", "'}'", ...: what stands at the cursor, for messages.
  std::string describe_here() const;

 private:
  bool skip_atom_form();
  bool open_or_close(std::string& closers, std::size_t start);

  std::string_view text_;
  std::size_t position_ = 0;
  std::string error_;
  std::size_t error_position_ = 0;
};

// The text of a form on one line: comments dropped, blanks folded. If `json`, JSON's spelling is turned into EDN's.
std::string normalise_form(std::string_view form, bool json);

}  // namespace polarsim::checkers
