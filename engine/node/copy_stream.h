// The other end of a COPY: what its bytes are read from or written to. A connection offers one for STDIN and STDOUT;
// a file of the node's disk is another (executor/copy_file.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace polarsim::engine {

class CopySource {
 public:
  // Puts the next bytes in the place of `chunk`, cut anywhere; false at the end, and from then on. May block. Throws
  // SqlError if the other side gives up (57014) or is lost.
  virtual bool read(std::string& chunk) = 0;

 protected:
  ~CopySource() = default;
};

class CopySink {
 public:
  // One row, or the header, with its line end: clients may rely on getting them one by one. May block. Throws SqlError
  // if the other side is lost.
  virtual void write(std::string_view line) = 0;

 protected:
  ~CopySink() = default;
};

// What a session asks its connection for, at most one of them in a statement. The connection tells its client that rows
// are to come, and, once the statement is over, that they have. What they return lives until then.
class CopyStream {
 public:
  // The client is to send rows of so many columns, in the format text or csv, or binary. Whoever asks reads to the end,
  // unless the statement fails.
  virtual CopySource& start_in(std::size_t columns, bool binary = false) = 0;
  virtual CopySink& start_out(std::size_t columns, bool binary = false) = 0;

 protected:
  ~CopyStream() = default;
};

}  // namespace polarsim::engine
