#include "engine/pgwire/long_identifiers.h"

#include <algorithm>
#include <string>

namespace polarsim::engine::pgwire {

namespace {

constexpr std::size_t bytes_max = 63;

bool begins_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c) { return begins_word(c) || (c >= '0' && c <= '9') || c == '$'; }

// Goes over a statement's tokens.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<ErrorFields> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\'') {
        string(false);
      } else if (c == '"') {
        quoted();
      } else if (starts("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (starts("/*")) {
        comment();
      } else if (c == '$') {
        dollar_string();
      } else if (begins_word(c)) {
        word();
      } else if (c >= '0' && c <= '9') {
        while (at_ < text_.size() && continues_word(text_[at_])) ++at_;
      } else {
        ++at_;
      }
    }
    return std::move(notices_);
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void string(bool escapes) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (escapes && text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '\'') {
        break;
      }
    }
    ++at_;
  }
  void comment() {
    int depth = 0;
    do {
      const bool opens = starts("/*");
      const bool closes = starts("*/");
      depth += opens ? 1 : closes ? -1 : 0;
      at_ += opens || closes ? 2 : 1;
    } while (depth > 0 && at_ < text_.size());
  }
  // Or a parameter.
  void dollar_string() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && continues_word(text_[end]) && text_[end] != '$') ++end;
    if (end >= text_.size() || text_[end] != '$') {
      at_ = end;
      return;
    }
    const std::string_view tag = text_.substr(at_, end - at_ + 1);
    const std::size_t close = text_.find(tag, end + 1);
    at_ = close == std::string_view::npos ? text_.size() : close + tag.size();
  }
  void quoted() {
    std::string name;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (!text_.substr(at_ + 1).starts_with('"')) break;
        ++at_;
      }
      name += text_[at_];
    }
    ++at_;
    look_at(name);
  }
  void word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && continues_word(text_[at_])) ++at_;
    const std::string_view written = text_.substr(begin, at_ - begin);
    if (at_ < text_.size() && text_[at_] == '\'' && (written == "e" || written == "E")) return string(true);
    std::string name(written);
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    look_at(name);
  }
  void look_at(const std::string& name) {
    if (name.size() <= bytes_max) return;
    std::size_t kept = bytes_max;
    while (kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xC0) == 0x80) --kept;
    ErrorFields notice;
    notice.severity = "NOTICE";
    notice.sqlstate = "42622";
    notice.message = "identifier \"" + name + "\" will be truncated to \"" + name.substr(0, kept) + "\"";
    notices_.push_back(std::move(notice));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<ErrorFields> notices_;
};

// Whether there can be such an identifier: any long run without a blank.
bool has_long_run(std::string_view text) {
  std::size_t run = 0;
  for (const char c : text) {
    run = continues_word(c) || c == '"' ? run + 1 : 0;
    if (run > bytes_max) return true;
  }
  return text.find('"') != std::string_view::npos && text.size() > bytes_max;
}

}  // namespace

std::vector<ErrorFields> notices_of_long_identifiers(std::string_view text) {
  if (text.size() <= bytes_max || !has_long_run(text)) return {};
  return Scanner(text).run();
}

}  // namespace polarsim::engine::pgwire
