// COPY over a connection: the messages between CopyInResponse or CopyOutResponse and the end of the rows. Private to
// backend.cpp.
//
// As PostgreSQL (src/backend/commands/copyfromparse.c, copyto.c): while rows come, Flush and Sync are passed over,
// CopyFail ends the statement with 57014, and anything else ends the statement and then the connection. A statement
// that fails says so at once; what the client goes on sending is dropped.
#pragma once

#include "engine/node/copy_stream.h"
#include "engine/pgwire/message.h"

namespace polarsim::engine::pgwire {

class Backend;

class CopyExchange final : public CopyStream, private CopySource, private CopySink {
 public:
  explicit CopyExchange(Backend& backend) : backend_(backend) {}

  CopySource& start_in(std::size_t columns, bool binary) override;
  CopySink& start_out(std::size_t columns, bool binary) override;
  // The statement is over, well or not.
  void finish(bool succeeded);
  // Where the next message begins is not known any more.
  bool synchronization_lost() const { return synchronization_lost_; }

 private:
  bool read(std::string& chunk) override;
  void write(std::string_view line) override;
  FrontendMessage receive();
  [[noreturn]] void throw_unexpected(char type);

  Backend& backend_;
  bool writing_ = false;
  bool at_end_ = false;
  bool synchronization_lost_ = false;
};

// What is left of a COPY that has failed.
bool belongs_to_copy(const FrontendMessage& message);

}  // namespace polarsim::engine::pgwire
