#include "engine/pgwire/backend_copy.h"

#include <fmt/format.h>

#include "engine/pgwire/backend.h"

namespace polarsim::engine::pgwire {

namespace {

// So much is written before it is sent.
constexpr std::size_t send_bytes = 64 * 1024;

[[noreturn]] void throw_lost() {
  throw SqlError(sqlstate::connection_failure, "unexpected EOF on client connection with an open transaction");
}

char type_of(const FrontendMessage& message) {
  struct Types {
    char operator()(const Query&) const { return 'Q'; }
    char operator()(const Parse&) const { return 'P'; }
    char operator()(const Bind&) const { return 'B'; }
    char operator()(const Describe&) const { return 'D'; }
    char operator()(const Close&) const { return 'C'; }
    char operator()(const Execute&) const { return 'E'; }
    char operator()(const Sync&) const { return 'S'; }
    char operator()(const Flush&) const { return 'H'; }
    char operator()(const Terminate&) const { return 'X'; }
    char operator()(const CopyData&) const { return 'd'; }
    char operator()(const CopyDone&) const { return 'c'; }
    char operator()(const CopyFail&) const { return 'f'; }
    // Of the start of a connection.
    char operator()(const Startup&) const { return '\0'; }
    char operator()(const EncryptionRequest&) const { return '\0'; }
    char operator()(const CancelRequest&) const { return '\0'; }
  };
  return std::visit(Types{}, message);
}

// Clients of the extended protocol send them before they know that rows are wanted. Nobody looks at their bodies.
bool is_passed_over(char type) { return type == 'H' || type == 'S'; }

}  // namespace

bool belongs_to_copy(const FrontendMessage& message) {
  return std::holds_alternative<CopyData>(message) || std::holds_alternative<CopyDone>(message) ||
         std::holds_alternative<CopyFail>(message);
}

CopySource& CopyExchange::start_in(std::size_t columns, bool binary) {
  at_end_ = false;
  backend_.send(CopyInResponse{binary, std::vector<std::int16_t>(columns, binary ? 1 : 0)});
  if (!backend_.flush()) throw_lost();
  return *this;
}

CopySink& CopyExchange::start_out(std::size_t columns, bool binary) {
  writing_ = true;
  backend_.send(CopyOutResponse{binary, std::vector<std::int16_t>(columns, binary ? 1 : 0)});
  return *this;
}

void CopyExchange::finish(bool succeeded) {
  if (writing_ && succeeded) backend_.send(CopyDone{});
  writing_ = false;
}

void CopyExchange::throw_unexpected(char type) {
  synchronization_lost_ = true;
  throw SqlError(sqlstate::protocol_violation,
                 fmt::format("unexpected message type 0x{:02X} during COPY from stdin", type));
}

FrontendMessage CopyExchange::receive() {
  while (true) {
    if (backend_.session_->termination_requested()) throw SessionTerminated::by_administrator();
    try {
      if (auto message = backend_.decoder_.next_frontend()) return std::move(*message);
    } catch (const MalformedMessage& error) {
      if (is_passed_over(error.type())) continue;
      at_end_ = error.type() == 'f';
      if (at_end_) throw SqlError(error);
      throw_unexpected(error.type());
    } catch (const SqlError&) {
      synchronization_lost_ = true;
      throw;
    }
    if (!backend_.fill()) {
      if (backend_.session_->termination_requested()) throw SessionTerminated::by_administrator();
      throw_lost();
    }
  }
}

bool CopyExchange::read(std::string& chunk) {
  while (!at_end_) {
    FrontendMessage message = receive();
    if (auto* data = std::get_if<CopyData>(&message)) {
      chunk = std::move(data->bytes);
      return true;
    }
    if (const auto* failure = std::get_if<CopyFail>(&message)) {
      at_end_ = true;
      throw SqlError(sqlstate::query_canceled, "COPY from stdin failed: " + failure->message);
    }
    if (std::holds_alternative<CopyDone>(message)) {
      at_end_ = true;
    } else if (const char type = type_of(message); !is_passed_over(type)) {
      throw_unexpected(type);
    }
  }
  chunk.clear();
  return false;
}

void CopyExchange::write(std::string_view line) {
  append_copy_data(backend_.out_, line);
  if (backend_.out_.size() >= send_bytes && !backend_.flush())
    throw SqlError(sqlstate::connection_failure, "connection to client lost");
}

}  // namespace polarsim::engine::pgwire
