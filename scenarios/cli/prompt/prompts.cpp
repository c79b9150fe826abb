#include "scenarios/cli/prompt/prompts.h"

#include "scenarios/cli/prompt/text_width.h"

namespace polarsim::scenarios::cli::prompt {

namespace {

std::string state_sign(const Session& session, OpenPart open) {
  switch (open) {
    case OpenPart::nothing:
      if (session.conditions != nullptr && !session.conditions->active()) return "@";
      if (session.connection == nullptr) return "!";
      return session.settings.singleline ? "^" : "=";
    case OpenPart::statement:
      return "-";
    case OpenPart::comment:
      return "*";
    case OpenPart::single_quote:
      return "'";
    case OpenPart::double_quote:
      return "\"";
    case OpenPart::dollar_quote:
      return "$";
    case OpenPart::parenthesis:
      return "(";
  }
  return "";
}

std::string transaction_sign(const Session& session) {
  if (session.connection == nullptr) return "?";
  switch (session.connection->block_status()) {
    case BlockStatus::idle:
      return "";
    case BlockStatus::in_block:
      return "*";
    case BlockStatus::failed:
      return "!";
    case BlockStatus::unknown:
      break;
  }
  return "?";
}

bool is_octal(char c) { return c >= '0' && c <= '7'; }

class Filling {
 public:
  Filling(Session& session, const std::string& pattern, OpenPart open, std::size_t width_of_first)
      : session_(session), pattern_(pattern), open_(open), width_of_first_(width_of_first) {}

  std::string fill() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_++];
      if (c != '%' || at_ == pattern_.size()) {
        out_ += c;
      } else {
        escape(pattern_[at_++]);
      }
    }
    return out_;
  }

 private:
  // Up to the next `end`, which is left behind.
  std::string until(char end) {
    const std::size_t found = pattern_.find(end, at_);
    std::string text = pattern_.substr(at_, found == std::string::npos ? std::string::npos : found - at_);
    at_ = found == std::string::npos ? pattern_.size() : found + 1;
    return text;
  }

  void escape(char c) {
    const ConnectionInfo info = session_.connection == nullptr ? ConnectionInfo{} : session_.connection->info();
    switch (c) {
      case 'M':
      case 'm':
        out_ += info.host.empty() || info.host[0] == '/' ? "[local]"
                : c == 'M'                               ? info.host
                                                         : info.host.substr(0, info.host.find('.'));
        break;
      case '>':
        out_ += info.port;
        break;
      case 'n':
        out_ += info.user;
        break;
      case '/':
        out_ += info.database;
        break;
      case '~':
        out_ += info.database == info.user ? "~" : info.database;
        break;
      case '#':
        out_ += session_.connection != nullptr && session_.connection->parameter("is_superuser") == "on" ? "#" : ">";
        break;
      case 'R':
        out_ += state_sign(session_, open_);
        break;
      case 'x':
        out_ += transaction_sign(session_);
        break;
      case 'l':
        out_ += std::to_string(session_.statement_line);
        break;
      case 'p':
        if (session_.connection != nullptr) out_ += std::to_string(session_.connection->process_id());
        break;
      case 'w':
        out_ += std::string(width_of_first_, ' ');
        break;
      case ':':
        out_ += session_.variables.get(until(':')).value_or("");
        break;
      case '`':
        out_ += session_.command_output(until('`'));
        break;
      case '[':
      case ']':
        break;
      default:
        if (is_octal(c)) {
          int value = c - '0';
          for (int digits = 1; digits < 3 && at_ < pattern_.size() && is_octal(pattern_[at_]); ++digits) {
            value = value * 8 + (pattern_[at_++] - '0');
          }
          out_ += static_cast<char>(value);
        } else {
          out_ += c;
        }
    }
  }

  Session& session_;
  const std::string& pattern_;
  OpenPart open_;
  std::size_t width_of_first_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string shown_prompt(Session& session, const std::string& pattern, OpenPart open) {
  std::size_t width = 0;
  if (pattern.find("%w") != std::string::npos) {
    const std::string first = Filling(session, session.settings.prompt1, OpenPart::nothing, 0).fill();
    width = text_width(first.substr(first.rfind('\n') + 1));
  }
  return Filling(session, pattern, open, width).fill();
}

std::string shown_prompt(Session& session, OpenPart open) {
  return shown_prompt(session, open == OpenPart::nothing ? session.settings.prompt1 : session.settings.prompt2, open);
}

}  // namespace polarsim::scenarios::cli::prompt
