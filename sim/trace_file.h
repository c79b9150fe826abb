// Traces on disk: written while the run goes on or from what the ring holds at its end, read back with every byte
// checked.
//
// Format, version 1. All fixed-size numbers are little-endian; a varint is LEB128; "zigzag" maps signed differences to
// varints. Hashes are XXH3-64.
//
//   file    header, block*, end
//   header  16 bytes "polarsim-trace\r\n", u32 version, u32 zero, u64 hash of the 24 bytes before
//   frame   u32 tag, u32 events, u32 plain bytes, u32 packed bytes, u64 hash of the packed bytes, u64 hash of the 24
//           bytes before; then the packed bytes. Both hashes are seeded with the number of the frame in the file, so
//           that a frame that is missing, repeated or elsewhere does not pass.
//   block   a frame with tag "BLK1", packed by zstd; plain, it is the varint id of its first event and then columns,
//           each a varint of its size in bytes and its bytes:
//             names    new entries of the name table: size and bytes of each; numbers go on from 1, 0 is ""
//             times    zigzag difference to the event before
//             types    kind in the low, verb in the high four bits
//             hosts, names   numbers in the name table
//             parents  event id minus parent id; 0 for no parent
//             tasks    zigzag difference to the event before
//             a, b     zigzag difference to the last event of the same type
//             sizes    of texts
//             texts    one after the other
//   end     a frame with tag "END1", not packed: u64 events in the file, u64 events dropped before them. A file without
//           it was cut off.
//
// A block is about four thousand events and needs only the name tables of those before it.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "sim/trace.h"

namespace polarsim::sim {

class TraceFileWriter : public TraceSink {
 public:
  // Writes the header. `out` must be opened in binary mode and outlive this. `level` is zstd's, 1 to 19.
  explicit TraceFileWriter(std::ostream& out, int level = 3);
  ~TraceFileWriter() override;
  TraceFileWriter(const TraceFileWriter&) = delete;
  TraceFileWriter& operator=(const TraceFileWriter&) = delete;

  void write(const std::deque<std::string>& names, const TraceBlock& block, std::size_t begin) override;
  // Writes the end and flushes the stream; to be called once, after which nothing may be written. `dropped`: events
  // that happened before the first one written and are lost. False if anything could not be written, then or before.
  bool finish(std::uint64_t dropped = 0);
  std::uint64_t events() const { return events_; }
  std::uint64_t bytes() const { return bytes_; }
  bool ok() const { return ok_; }

 private:
  void put(std::string_view bytes);
  void put_frame(std::uint32_t tag, std::uint32_t events, std::uint32_t plain_bytes, std::string_view packed);
  struct Compressor;
  std::ostream& out_;
  int level_;
  std::unique_ptr<Compressor> compressor_;
  std::string plain_, packed_;
  std::size_t names_written_ = 1;
  std::uint64_t frames_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t bytes_ = 0;
  bool ok_ = true;
};

// Writes what is in memory as a whole file; false if it could not be written.
bool write_trace(std::ostream& out, const Trace& trace);

struct TraceFileError {
  std::string file;
  std::uint64_t offset = 0;  // of the frame, or the part of it, that is wrong
  std::string problem;
  // "trace.bin: at byte 4711: the block's bytes are damaged"
  std::string message() const;
};

// Reads a file block by block. Never trusts what it reads: a damaged file gives an error, and blocks before the damage
// are given out whole.
class TraceFileReader {
 public:
  // `file` is the name for errors; `in` must be opened in binary mode and outlive this.
  TraceFileReader(std::istream& in, std::string file);
  // Appends the events of the next block. False at the end of the file. After an error, the same error again.
  tl::expected<bool, TraceFileError> next(std::vector<TraceEvent>& events);
  // Once next() has returned false.
  std::uint64_t dropped() const { return dropped_; }

 private:
  tl::expected<bool, TraceFileError> read_next(std::vector<TraceEvent>& events);
  tl::unexpected<TraceFileError> error(std::uint64_t offset, std::string problem) const;
  // Reads `count` bytes; false if the file ends before.
  bool read(std::size_t count, std::string& bytes);
  std::optional<TraceFileError> read_header();
  std::istream& in_;
  std::string file_;
  std::uint64_t position_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t dropped_ = 0;
  TraceId next_id_ = 1;
  std::vector<std::string> names_{std::string()};
  std::string frame_, packed_, plain_;
  std::optional<TraceFileError> failed_;
  bool ended_ = false;
};

struct TraceFile {
  std::vector<TraceEvent> events;
  std::uint64_t dropped = 0;
};

// The whole file, or what is wrong with it.
tl::expected<TraceFile, TraceFileError> read_trace(std::istream& in, const std::string& file);

struct SalvagedTrace {
  TraceFile trace;  // the whole blocks before the damage
  std::optional<TraceFileError> damage;
};
SalvagedTrace salvage_trace(std::istream& in, const std::string& file);

}  // namespace polarsim::sim
